"""One subscriber that words events as log lines (filled by the floors' tables of events)."""
