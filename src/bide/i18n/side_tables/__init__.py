"""The tables beside the texts: history, notes, proposals, languages, uses, and who reads which version."""
