"""A small shop: orders by HTTP, receipts by forked workers."""
