"""Messages that are hard to take apart, each broken or odd in one way that real mail is."""

from __future__ import annotations

import random

from tests.storage.mime_kit import Tree, build

_FROM = b"From: Ann Other <ann@example.test>\r\n"


def _plain(*fields: bytes, body: bytes = b"text\r\n") -> bytes:
    return b"".join(field + b"\r\n" for field in fields) + b"\r\n" + body


def _multi(body: bytes, subtype: bytes = b"mixed", boundary: bytes = b"b") -> bytes:
    return (
        _FROM + b"MIME-Version: 1.0\r\nContent-Type: multipart/" + subtype + b'; boundary="'
        + boundary + b'"\r\n\r\n' + body
    )  # fmt: skip


def _typed(value: bytes, *more: bytes, body: bytes = b"text\r\n") -> bytes:
    return _plain(b"MIME-Version: 1.0", b"Content-Type: " + value, *more, body=body)


def _binary(octets: bytes) -> bytes:
    part = b"Content-Type: application/x\r\nContent-Transfer-Encoding: binary\r\n\r\n" + octets
    return _multi(b"--b\r\n" + part + b"\r\n--b--\r\n")


def _structures() -> dict[str, bytes]:
    inner = _multi(b"--i\r\n\r\none\r\n--i\r\n\r\ntwo\r\n--i--\r\n", boundary=b"i")
    deep = b"Subject: innermost\r\n\r\nhere\r\n"
    for level in range(8):
        deep = b"Subject: level %d\r\nContent-Type: message/rfc822\r\n\r\n" % level + deep
    nested = b"Content-Type: text/plain\r\n\r\nleaf\r\n"
    for level in range(8):
        name = b"n%d" % level
        nested = b"Content-Type: multipart/mixed; boundary=%b\r\n\r\n--%b\r\n%b\r\n--%b--\r\n" % (
            name,
            name,
            nested,
            name,
        )
    return {
        "multipart": _multi(b"pre\r\n--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\npost\r\n"),
        "multipart-nested": nested,
        "multipart-no-preamble": _multi(b"--b\r\n\r\none\r\n--b--\r\n"),
        "multipart-digest": _multi(
            b"--b\r\n\r\nSubject: first\r\n\r\none\r\n--b\r\n\r\nSubject: second\r\n\r\ntwo\r\n"
            b"--b--\r\n",
            b"digest",
        ),
        "multipart-digest-text": _multi(
            b"--b\r\nContent-Type: text/plain\r\n\r\none\r\n--b--\r\n", b"digest"
        ),
        "multipart-report": _multi(
            b"--b\r\n\r\nIt failed.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
            b"Reporting-MTA: dns; a\r\n\r\nStatus: 5.0.0\r\n--b\r\n"
            b"Content-Type: text/rfc822-headers\r\n\r\nSubject: s\r\n\r\n--b--\r\n",
            b"report",
        ),
        "no-close-delimiter": _multi(b"--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n"),
        "no-close-no-newline": _multi(b"--b\r\n\r\none\r\n--b\r\n\r\ntwo"),
        "close-no-newline": _multi(b"--b\r\n\r\none\r\n--b--"),
        "delimiter-last": _multi(b"--b\r\n\r\none\r\n--b\r\n"),
        "delimiter-last-no-newline": _multi(b"--b\r\n\r\none\r\n--b"),
        "boundary-never-used": _multi(b"one\r\n\r\ntwo\r\n"),
        "boundary-only-closed": _multi(b"--b--\r\nafter\r\n"),
        "boundary-empty": _typed(b'multipart/mixed; boundary=""', body=b"--\r\n\r\nx\r\n----\r\n"),
        "boundary-missing": _typed(b"multipart/mixed", body=b"--b\r\n\r\nx\r\n--b--\r\n"),
        "boundary-twice": _typed(
            b"multipart/mixed; boundary=b; boundary=c",
            body=b"--c\r\n\r\nsee\r\n--b\r\n\r\nbe\r\n--b--\r\n--c--\r\n",
        ),
        "boundary-prefix-of-inner": _multi(
            b"--b\r\nContent-Type: multipart/mixed; boundary=bb\r\n\r\n--bb\r\n\r\none\r\n"
            b"--bb--\r\n--b\r\n\r\ntwo\r\n--b--\r\n"
        ),
        "boundary-inner-prefix": _multi(
            b"--bb\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n"
            b"--b--\r\n--bb\r\n\r\ntwo\r\n--bb--\r\n",
            boundary=b"bb",
        ),
        "boundary-same-inside": _multi(
            b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n"
            b"--b--\r\n--b\r\n\r\ntwo\r\n--b--\r\n"
        ),
        "boundary-trailing-space": _multi(b"--b  \r\n\r\none\r\n--b-- \t\r\nafter\r\n"),
        "boundary-with-text-behind": _multi(b"--bxyz\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n"),
        "boundary-spaces-inside": _multi(b"--a b\r\n\r\none\r\n--a b--\r\n", boundary=b"a b"),
        "boundary-continued": _typed(
            b'multipart/mixed; boundary*0="a"; boundary*1="b"', body=b"--ab\r\n\r\nx\r\n--ab--\r\n"
        ),
        "boundary-encoded": _typed(
            b"multipart/mixed; boundary*=us-ascii''a%62", body=b"--ab\r\n\r\nx\r\n--ab--\r\n"
        ),
        "boundary-long": _multi(
            b"--" + b"x" * 150 + b"\r\n\r\none\r\n--" + b"x" * 150 + b"--\r\n", boundary=b"x" * 150
        ),
        "boundary-unquoted-specials": _typed(
            b"multipart/mixed; boundary=--=_a:b/c=d",
            body=b"----=_a:b/c=d\r\n\r\nx\r\n----=_a:b/c=d--\r\n",
        ),
        "empty-parts": _multi(b"--b\r\n--b\r\n\r\n--b\r\n\r\n\r\n--b--\r\n"),
        "part-header-only": _multi(b"--b\r\nContent-Type: text/html\r\n--b\r\n\r\nx\r\n--b--\r\n"),
        "part-no-empty-line": _multi(b"--b\r\nno header here\r\nx\r\n--b--\r\n"),
        "outer-delimiter-ends-inner": _multi(
            b"--b\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n--i\r\n\r\none\r\n"
            b"--b\r\n\r\ntwo\r\n--b--\r\n"
        ),
        "inner-delimiter-after-close": _multi(
            b"--b\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\none\r\n--i--\r\n"
            b"--i\r\n\r\nmore\r\n--b--\r\n"
        ),
        "outer-delimiter-after-close": _multi(b"--b\r\n\r\none\r\n--b--\r\n--b\r\n\r\ntwo\r\n"),
        "message": _typed(b"message/rfc822", body=b"Subject: inside\r\n\r\nbody\r\n"),
        "message-deep": deep,
        "message-empty": _typed(b"message/rfc822", body=b""),
        "message-header-only": _typed(b"message/rfc822", body=b"Subject: inside\r\n"),
        "message-header-cut": _typed(b"message/rfc822", body=b"Subject: inside"),
        "message-no-header": _typed(b"message/rfc822", body=b"\r\nbody\r\n"),
        "message-multipart": _typed(b"message/rfc822", body=inner),
        "message-base64": _typed(
            b"message/rfc822", b"Content-Transfer-Encoding: base64", body=b"U3ViamVjdDogYg==\r\n"
        ),
        "message-8bit": _typed(
            b"message/rfc822",
            b"Content-Transfer-Encoding: 8bit",
            body=b"Subject: \xc3\xa4\r\n\r\nb",
        ),
        "message-partial": _typed(b"message/partial; id=x; number=1; total=2"),
        "message-external": _typed(b"message/external-body; access-type=local-file"),
        "message-global": _typed(b"message/global", body=b"Subject: \xc3\xa4\r\n\r\nbody\r\n"),
        "message-in-multipart": _multi(
            b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inside\r\n\r\nbody\r\n"
            b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + inner + b"--b--\r\n"
        ),
        "message-cut-by-delimiter": _multi(
            b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inside\r\n--b--\r\n"
        ),
        "message-in-message-in-multipart": _multi(
            b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: a\r\nContent-Type: message/rfc822"
            b"\r\n\r\nSubject: c\r\n\r\nx\r\n--b--\r\n"
        ),
    }


def _fields() -> dict[str, bytes]:
    return {
        "type-missing": _plain(b"MIME-Version: 1.0"),
        "type-empty": _typed(b""),
        "type-no-subtype": _typed(b"text"),
        "type-slash-only": _typed(b"text/"),
        "type-garbage": _typed(b"hello world"),
        "type-spaces": _typed(b" text / html ; charset = utf-8 "),
        "type-comments": _typed(b"(a) text (b) / (c) html (d) ; (e) charset (f) = (g) utf-8 (h)"),
        "type-case": _typed(b"TEXT/HTML; CHARSET=UTF-8"),
        "type-trailing-semicolon": _typed(b"text/html; charset=utf-8;"),
        "type-no-semicolon": _typed(b"text/html charset=utf-8"),
        "type-comma": _typed(b"text/html, charset=utf-8"),
        "type-quoted": _typed(b'"text/html"; charset=utf-8'),
        "type-twice": _plain(
            b"Content-Type: text/html", b"Content-Type: text/plain; format=flowed"
        ),
        "type-folded": _typed(b"text/html;\r\n\tcharset=utf-8;\r\n name=a"),
        "type-8bit": _typed(b'application/pdf; name="\xe4\xf6.pdf"'),
        "type-encoded-word": _typed(b'application/pdf; name="=?utf-8?q?a=C3=A4?=.pdf"'),
        "type-without-mime-version": _plain(b"Content-Type: text/html"),
        "param-no-value": _typed(b"text/html; charset; format=flowed"),
        "param-empty-value": _typed(b'text/html; charset=; name=""'),
        "param-escapes": _typed(rb'application/x; name="a\"b\\c\d"'),
        "param-unclosed-quote": _typed(b'text/html; name="abc; charset=utf-8'),
        "param-spaces-unquoted": _typed(b"application/x; name=my file (1).pdf; x=y"),
        "param-repeated": _typed(b"text/html; charset=utf-8; charset=latin1"),
        "param-2231": _typed(b"application/x; name*=utf-8'en'a%20b; x=y"),
        "param-2231-continued": _typed(b'application/x; name*0="ab"; name*1="cd"; name*2=ef'),
        "param-2231-mixed": _typed(
            b"application/x; name*0*=utf-8''%c3%a4; name*1=\"b c\"; name*2*=%20"
        ),
        "param-2231-unordered": _typed(b'application/x; name*1="cd"; name*0="ab"'),
        "param-2231-gap": _typed(b'application/x; name*0="ab"; name*2="ef"'),
        "param-2231-no-zero": _typed(b'application/x; name*1="cd"'),
        "param-2231-and-plain": _typed(b"application/x; name=plain; name*=utf-8''en%20coded"),
        "param-tabs": _typed(b"text/html;\tcharset=\tutf-8"),
        "param-equals-in-value": _typed(b"application/x; name=a=b=c"),
        "param-single-quotes": _typed(b"text/plain; charset='utf-8'"),
        "charset-empty": _typed(b'text/plain; charset=""'),
        "encoding-case": _typed(b"text/plain", b"Content-Transfer-Encoding: Base64"),
        "encoding-unknown": _typed(b"text/plain", b"Content-Transfer-Encoding: x-uue"),
        "encoding-comment": _typed(b"text/plain", b"Content-Transfer-Encoding: (x) 8bit (y)"),
        "encoding-params": _typed(b"text/plain", b"Content-Transfer-Encoding: 7bit; charset=x"),
        "encoding-quoted": _typed(b"text/plain", b'Content-Transfer-Encoding: "base64"'),
        "encoding-words": _typed(b"text/plain", b"Content-Transfer-Encoding: 8 bit"),
        "encoding-empty": _typed(b"text/plain", b"Content-Transfer-Encoding:"),
        "encoding-twice": _typed(
            b"text/plain", b"Content-Transfer-Encoding: 8bit", b"Content-Transfer-Encoding: base64"
        ),
        "disposition": _typed(
            b"application/x",
            b'Content-Disposition: ATTACHMENT; filename="a b.pdf"; size=7',
            b"Content-ID: <id@example.test>",
            b"Content-Description: A file (really)",
            b"Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==",
            b"Content-Language: en, de-AT",
            b"Content-Location: http://example.test/x",
        ),
        "disposition-empty": _typed(b"application/x", b"Content-Disposition:"),
        "disposition-params-only": _typed(b"application/x", b"Content-Disposition: ; filename=x"),
        "disposition-only-param": _typed(b"application/x", b"Content-Disposition: filename=x"),
        "disposition-2231": _typed(
            b"application/x", b"Content-Disposition: inline; filename*=utf-8''a%C3%A4.pdf"
        ),
        "disposition-8bit": _typed(
            b"application/x", b'Content-Disposition: attachment; filename="\xc3\xa4.pdf"'
        ),
        "language-odd": _typed(b"text/plain", b"Content-Language: en,, de ;q=1, (x) fr"),
        "language-one": _typed(b"text/plain", b"Content-Language: EN-us"),
        "language-empty": _typed(b"text/plain", b"Content-Language:"),
        "location-folded": _typed(
            b"text/plain", b"Content-Location: http://example.test/a\r\n b/c", b"Content-MD5: a b c"
        ),
        "id-odd": _typed(b"text/plain", b"Content-ID: not in brackets", b"Content-Description:"),
        "mime-fields-folded": _typed(
            b"text/plain", b"Content-ID:\r\n <a@b>", b"Content-Description: one\r\n\ttwo  three "
        ),
    }


def _headers() -> dict[str, bytes]:
    return {
        "header-only": b"Subject: only a header\r\nFrom: a@example.test\r\n",
        "header-only-cut": b"Subject: only a header",
        "header-and-empty-line": b"Subject: s\r\n\r\n",
        "body-only": b"\r\nno header at all\r\n",
        "no-final-newline": _plain(b"Subject: s", body=b"one\r\ntwo"),
        "one-octet": b"x",
        "only-newline": b"\r\n",
        "line-without-colon": _plain(b"Subject: s", b"what is this", b"From: a@example.test"),
        "mbox-from-line": b"From ann Fri Mar 13 10:11:12 2026\r\nSubject: s\r\n\r\nx\r\n",
        "starts-with-continuation": b" leading\r\nSubject: s\r\n\r\nx\r\n",
        "name-spaces": _plain(b"Subject : s", b"From\t: a@example.test"),
        "name-only-colon": _plain(b": nothing", b"Subject: s"),
        "fields-repeated": _plain(
            b"Subject: one",
            b"Subject: two",
            b"Message-ID: <1@x>",
            b"Message-ID: <2@x>",
            b"Date: first",
            b"Date: second",
            b"In-Reply-To: <a>",
            b"In-Reply-To: <b>",
        ),
        "fields-empty": _plain(
            b"Subject:", b"Date:", b"From:", b"To: ", b"Cc:\t", b"Message-ID:", b"In-Reply-To:"
        ),
        "fields-spaces": _plain(b"Subject:  a   b  ", b"Date: \t Fri,  13 Mar 2026 "),
        "folded": _plain(b"Subject: a\r\n b\r\n\tc\r\n  d", b"Message-ID:\r\n <x@y>"),
        "folded-empty-line": _plain(b"Subject: a\r\n \r\n b", b"Date: x"),
        "folded-only-space": _plain(b"Subject:\r\n ", b"Date:\r\n\t"),
        "long-line": _plain(b"Subject: " + b"word " * 3000),
        "many-folds": _plain(b"Subject: x" + b"\r\n y" * 500),
        "8bit-utf8": _plain("Subject: Grüße".encode(), "From: Jürgen <j@example.test>".encode()),
        "8bit-latin1": _plain(
            "Subject: Grüße".encode("latin-1"), b"From: J\xfcrgen <j@example.test>"
        ),
        "encoded-words": _plain(
            b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=",
            b"From: =?utf-8?b?SsO8cmdlbg==?= <j@example.test>",
        ),
        "encoded-words-cut": _plain(
            b"Subject: =?utf-8?q?Gr=C3?=\r\n =?utf-8?q?=BC=C3=9Fe",
            b"From: =?utf-8?b?SsO <j@e.test>",
        ),
        "encoded-words-quoted": _plain(b'From: "=?utf-8?q?a=2Cb?=" <j@example.test>'),
        "control-octets": _plain(b"Subject: a\x01b\x1bc\x7fd", b"From: a\x02 <a@example.test>"),
        "nul-in-header": _plain(b"Subject: a\0b", b"From: x\0y <a@example.test>"),
        "bare-cr-in-header": _plain(b"Subject: a\rb", b"From: a@example.test"),
        "bare-cr-in-body": _plain(b"Subject: s", body=b"a\rb\r\r\nc\r\n"),
        "nul-in-body": _plain(b"Subject: s", body=b"a\0b\r\n"),
        "binary-part": _binary(bytes(octet for octet in range(1, 256) if octet != 10)),
        "binary-part-nul": _binary(bytes(range(256))),
        "quotes-in-subject": _plain(rb'Subject: say "hi" \ there'),
        "many-received": _plain(*[b"Received: from a\r\n\tby b; date %d" % n for n in range(60)]),
        "header-fields-case": _plain(b"SUBJECT: s", b"fRoM: a@example.test", b"X-Other: o"),
        "lf-only": b"Subject: s\nFrom: a@example.test\n\none\ntwo\n",
        "lf-only-multipart": _multi(
            b"pre\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: text/html\r\n\r\ntwo\r\n--b--\r\n"
        ).replace(b"\r\n", b"\n"),
        "mixed-newlines": b"Subject: s\r\nFrom: a@example.test\n\r\none\ntwo\r\n",
        "crlf-header-lf-body": b"Subject: s\r\n\none\ntwo\n",
    }


_ADDRESSES = {
    "bare": b"a@example.test",
    "angle": b"<a@example.test>",
    "name": b"A B <a@example.test>",
    "quoted": b'"B, A" <a@example.test>',
    "quoted-escapes": rb'"A \"x\" \\ B" <a@example.test>',
    "quoted-spaces": b'"  A  B  " <a@example.test>',
    "quoted-empty": b'"" <a@example.test>',
    "quoted-and-words": b'A "B" C <a@example.test>',
    "quoted-unclosed": b'"A B <a@example.test>',
    "quoted-local": b'"a b"@example.test',
    "quoted-local-angle": b'A <"a b"@example.test>',
    "quoted-local-escape": rb'<"a\"b"@example.test>',
    "single-quotes": b"'A B' <a@example.test>",
    "dots-in-name": b"John Q. Public <a@example.test>",
    "at-in-name": b"a@example.test <a@example.test>",
    "comment-behind": b"a@example.test (A B)",
    "comment-before": b"(A B) a@example.test",
    "comment-nested": rb"a@example.test (A (x) \) B)",
    "comment-unclosed": b"a@example.test (A B",
    "comment-inside": b"a(x)@(y)example(z).test",
    "comment-and-name": b"N <a@example.test> (comment)",
    "comment-angle": b"<a@example.test> (A)",
    "comment-in-angle": b"N <a@example.test (A)>",
    "comment-only": b"(A)",
    "comments-two": b"a@example.test (one) (two)",
    "comment-in-name": b"A (x) B <a@example.test>",
    "spaces-around-dots": b"a . b @ example . test",
    "domain-literal": b"a@[192.0.2.1]",
    "domain-literal-spaces": b"a@[ 192.0.2.1 ]",
    "local-specials": b"a+b=c/d!e@example.test",
    "at-twice": b"a@b@example.test",
    "local-dots": b"a..b.@example.test",
    "domain-trailing-dot": b"a@example.test.",
    "route": b"<@x.test,@y.test:a@example.test>",
    "route-name": b"N <@x.test:a@example.test>",
    "group": b"g: a@example.test, B <b@example.test>;",
    "group-empty": b"undisclosed-recipients:;",
    "group-empty-space": b"undisclosed-recipients: ;",
    "group-quoted": b'"my group": a@example.test;',
    "group-words": b"my little group: a@example.test;",
    "group-unclosed": b"g: a@example.test, b@example.test",
    "group-then-address": b"g: a@example.test;, z@example.test",
    "group-no-comma": b"g: a@example.test; z@example.test",
    "group-comment": b"g (x): a@example.test (y); (z)",
    "group-nested": b"g: h: a@example.test;;",
    "group-two": b"g: a@example.test;, h: b@example.test;",
    "groups-empty-members": b"g: , a@example.test, ;",
    "list": b"a@example.test, b@example.test",
    "list-semicolons": b"a@example.test; b@example.test;",
    "list-semicolons-named": b"A <a@example.test>; B <b@example.test>",
    "list-empty-members": b", a@example.test,, b@example.test,",
    "list-no-comma": b"A <a@example.test> B <b@example.test>",
    "list-spaces": b"a@example.test b@example.test",
    "list-folded": b"A\r\n <a@example.test>,\r\n\tB <b@example.test>",
    "no-at": b"postmaster",
    "no-at-angle": b"N <postmaster>",
    "no-at-words": b"some words here",
    "no-domain": b"a@",
    "no-domain-angle": b"N <a@>",
    "no-local": b"@example.test",
    "no-local-angle": b"N <@example.test>",
    "empty-angle": b"<>",
    "empty-angle-name": b"N <>",
    "double-angle": b"<<a@example.test>>",
    "unclosed-angle": b"N <a@example.test",
    "unopened-angle": b"a@example.test>",
    "two-angles": b"N <a@example.test> <b@example.test>",
    "words-before": b"A B a@example.test",
    "only-comma": b",",
    "only-space": b"   ",
    "only-semicolon": b";",
    "only-colon": b":",
    "8bit-name": b"J\xfcrgen <a@example.test>",
    "8bit-quoted": '"Jürgen, B" <a@example.test>'.encode(),
    "8bit-local": "jürgen@example.test".encode(),
    "8bit-domain": "a@exämple.test".encode(),
    "8bit-comment": b"a@example.test (J\xfcrgen)",
    "encoded-word": b"=?utf-8?q?J=C3=BCrgen?= <a@example.test>",
    "encoded-word-two": b"=?utf-8?q?A?= =?utf-8?q?B?= <a@example.test>",
    "encoded-word-comment": b"a@example.test (=?utf-8?q?J=C3=BCrgen?=)",
    "backslash": rb"a\b@example.test",
    "brackets": b"[list] name <a@example.test>",
    "mailto": b"mailto:a@example.test",
    "mailto-angle": b"N <mailto:a@example.test>",
    "control": b"a\x01b <a@example.test>",
    "tab": b"A\tB <a@example.test>",
    "long": b", ".join(b"Person %d <p%d@example.test>" % (n, n) for n in range(300)),
}


def _random(count: int) -> dict[str, bytes]:
    """Well-formed trees of parts, the same ones each time."""
    numbers = random.Random(4)
    found = {}
    for number in range(count):
        built = build(_tree(numbers, 0), b"\r\n")
        found[f"random-{number}"] = built.header + built.body
    return found


def _tree(numbers: random.Random, depth: int) -> Tree:
    kind = numbers.choice(["leaf", "multipart", "message"]) if depth < 5 else "leaf"
    fields = numbers.sample(_SOME_FIELDS, numbers.randrange(4))
    if kind == "leaf":
        lines = [b"text"] * numbers.randrange(1, 4)
        types = [b"text/html; charset=utf-8", b"image/png; name=a", b"text/plain; format=flowed"]
        fields.append(b"Content-Type: " + numbers.choice(types))
        return Tree("leaf", fields, b"\r\n".join(lines) + numbers.choice([b"", b"\r\n"]))
    if kind == "message":
        return Tree("message", fields, children=[_tree(numbers, depth + 1)])
    children = [_tree(numbers, depth + 1) for _ in range(numbers.randrange(1, 4))]
    return Tree(
        "multipart",
        fields,
        children=children,
        boundary=b"%d-%08x" % (depth, numbers.getrandbits(32)),
        preamble=numbers.choice([b"", b"preamble"]),
        # Without one, whose line end is it behind a closing delimiter? A message of its own asks.
        epilogue=b"epilogue",
    )


_SOME_FIELDS = [
    b"Subject: some",
    b"From: Ann Other <ann@example.test>",
    b"To: b@example.test, C <c@example.test>",
    b"Date: Fri, 13 Mar 2026 10:11:12 +0100",
    b"Message-ID: <x@example.test>",
    b"Content-ID: <part@example.test>",
    b"Content-Description: a part",
    b"Content-Disposition: attachment; filename=a.txt",
]


def messages() -> dict[str, bytes]:
    """All messages by their names."""
    found = {**_structures(), **_fields(), **_headers()}
    for name, value in _ADDRESSES.items():
        found[f"to-{name}"] = _plain(b"From: f@example.test", b"To: " + value)
    found |= _random(40)
    found["addresses-everywhere"] = _plain(
        b"From: F <f@example.test>, g@example.test", b"Sender: s@example.test",
        b"Reply-To: r@example.test",
        b"To: t@example.test", b"Cc: c@example.test", b"Bcc: b@example.test",
    )  # fmt: skip
    found["addresses-repeated"] = _plain(
        b"From: a@example.test",
        b"From: b@example.test",
        b"To: c@example.test",
        b"To: d@example.test",
    )
    found["sender-empty"] = _plain(b"From: a@example.test", b"Sender:", b"Reply-To: ,")
    found["sender-group"] = _plain(b"From: g: a@example.test;", b"Reply-To: h:;")
    found["sender-without-from"] = _plain(b"Sender: s@example.test", b"To: t@example.test")
    return found
