"""vCards 3.0 and 4.0: taken in, searched and converted; pure functions over their octets.

`vobject` reads 3.0 only, takes 240 microseconds for a plain card and 32 ms for one with a photo of
200 KB (it decodes and folds character by character). A card passes here at every PUT and at every
match, so it is read by `reading.py`; `vobject` is the referee in the tests.
"""
