"""iCalendar (RFC 5545): reading, facts, recurrence, filters, shaping, scheduling messages.

Pure functions over octets and plain values: no database, no network, nothing kept between calls
but caches. Whatever a client can make large is bounded. `CalendarError` is all that they raise.
"""
