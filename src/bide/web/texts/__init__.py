"""The editor of texts: what its pages need beside the pages' common ground."""
