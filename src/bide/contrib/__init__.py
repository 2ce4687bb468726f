<<<<<<< HEAD
"""Bide inside other libraries: each module needs the library that it is named after."""
=======
"""What makes Bide at home in other people's frameworks; each part needs its own extra."""
>>>>>>> a919770 (wip django)
