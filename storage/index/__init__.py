"""The search index: decoded texts of messages, and trigrams that narrow a search of them.

The scan of ``storage.views.search`` is the truth; what is here only saves it work. A message that
is not indexed (yet) is scanned.
"""
