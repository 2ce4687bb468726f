"""The pages, one module for each section; bide.web.app lists them.

A module has `section(screens)`, which returns a Section with the routes that bide.web.routes.get and post
make of functions of a Visit. Their templates extend base.html and fill its blocks: `title`, `main` (stays),
`live` (comes again when it has changed, if the page is rendered with `is_live=True`; its children have ids)
and `after`. Words are texts below `bide` in locales/*.yml.
"""
