"""Rows of the site's own tables, so placed that each case is kept by one of them alone."""
from datetime import date
from decimal import Decimal
from uuid import NAMESPACE_DNS, uuid5

from blog.models import Article, Club, Comment, Page, Post, Profile, Remark


def create_content(ids, cutoff):
    profiles(ids)
    hello, welcome = posts(ids, cutoff)
    comments(ids, hello, welcome)
    pages(ids)
    Club.objects.create(name="Chess").members.add(ids["club_member"], ids["verified_regular"])


def profiles(ids):
    Profile.objects.bulk_create(
        Profile(
            user_id=ids[label],
            bio="Grüße,\nold and \"new\" 😀",
            birthday=date(1999, 12, 31),
            credit=Decimal("12345678.9001"),
            preferences={"theme": "dark", "big": 9007199254740993, "list": [1.10, None]},
            public_id=uuid5(NAMESPACE_DNS, label),
            avatar=b"\x00\xff\x10",
        )
        for label in ("profile_owner", "verified_regular")
    )


def posts(ids, cutoff):
    """Returns a post by the candidate `author` and one by `verified_regular`, which `editor` edited."""
    hello = Post.objects.create(author_id=ids["author"], title="Hello", created=cutoff)
    welcome = Post.objects.create(
        author_id=ids["verified_regular"], editor_id=ids["editor"], title="Welcome", created=cutoff
    )
    Post.objects.create(author_id=ids["author"], editor_id=ids["verified_regular"], title="Again", created=cutoff)
    return hello, welcome


def comments(ids, hello, welcome):
    """Replies by other users hang under comments, and under posts, that belong to candidates."""
    regular = ids["verified_regular"]
    under_hello = Comment.objects.create(post=hello, author_id=regular, text="under a candidate's post")
    Comment.objects.create(post=hello, author_id=regular, parent=under_hello, text="and its reply")
    first = Comment.objects.create(post=welcome, author_id=ids["commenter"], text="by a candidate")
    reply = Comment.objects.create(post=welcome, author_id=regular, parent=first, text="by a regular")
    Comment.objects.create(post=welcome, author_id=ids["replier"], parent=reply, text="by another candidate")
    kept = Comment.objects.create(post=welcome, author_id=regular, text="by a regular, alone")
    Comment.objects.create(post=welcome, author_id=ids["verified_primary"], parent=kept, text="stays")


def pages(ids):
    """An article is a page too: a part of it, and what others said about it, is in tables that know no writer."""
    regular = ids["verified_regular"]
    by_candidate = Article.objects.create(title="By a candidate", writer_id=ids["writer"], owner_id=regular)
    Remark.objects.create(page=by_candidate, text="about the article")
    by_regular = Article.objects.create(title="By a regular", writer_id=regular, owner_id=ids["page_owner"])
    Remark.objects.create(page=by_regular, text="stays")
    Page.objects.create(title="No article", owner_id=ids["writer"])
