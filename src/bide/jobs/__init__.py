"""The queue, in Delayed::Job's words."""
