"""Flags as text are those of the rows."""

from __future__ import annotations

from folkmoot.storage.mutations.messages import ExpungeMessages
from folkmoot.storage.store import Store
from folkmoot.storage.types import Flag, UidSet
from folkmoot.storage.views.flag_texts import ReadFlagTexts
from tests.storage.mail_kit import ALL_UIDS, new_mail, uids


def test_texts_agree_with_rows(store: Store) -> None:
    """For a run, a sparse and a dense set, with gaps, keywords, and none at all."""
    mail = new_mail(store)
    inbox = mail.box().id
    empty = mail.view(ReadFlagTexts(inbox, ALL_UIDS))
    assert empty == ([], [], {})
    mail.append(inbox, *[None] * 40)
    mail.flag(inbox, uids("3:9,20"), Flag.SEEN, ("b", "a"))
    mail.flag(inbox, uids("8:12"), Flag.FLAGGED | Flag.DRAFT)
    mail.flag(inbox, uids("1,15:17"), Flag.DELETED)
    mail.apply(ExpungeMessages(inbox))
    rows = mail.flags(inbox)
    for which in (ALL_UIDS, uids("2:30"), uids("1,20,39"), uids("1:8,10:30,32:40"), UidSet()):
        texts = mail.view(ReadFlagTexts(inbox, which))
        found = {
            int(uid): (int(bits), texts.keywords.get(uid, ""))
            for uid, bits in zip(texts.uids, texts.flags, strict=True)
        }
        assert found == {uid: row for uid, row in rows.items() if uid in which}
        assert list(found) == sorted(found)
