"""Rows of Django's and allauth's own tables that belong to a user."""
from datetime import timedelta

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session


def create_belongings(ids, cutoff, now):
    social_account(ids["social"], cutoff)
    memberships(ids)
    admin_log(ids["logged"], cutoff)
    confirmations(ids, cutoff, now)
    session(ids["with_session"], now)


def social_account(user_id, cutoff):
    app = SocialApp.objects.create(provider="github", name="GitHub", client_id="client", secret="secret")
    app.sites.add(1)
    account = SocialAccount(user_id=user_id, provider="github", uid="583231", extra_data={"login": "octo"})
    account.save()
    # These two are filled by save() with the present.
    SocialAccount.objects.filter(pk=account.pk).update(last_login=cutoff, date_joined=cutoff)
    SocialToken.objects.create(app=app, account=account, token="token", token_secret="", expires_at=cutoff)


def memberships(ids):
    editors = Group.objects.create(name="Editors")
    editors.user_set.add(ids["grouped"], ids["verified_regular"])
    may_add_post = Permission.objects.get(codename="add_post")
    editors.permissions.add(may_add_post)
    may_add_post.user_set.add(ids["permitted"])


def admin_log(user_id, cutoff):
    groups = ContentType.objects.get_for_model(Group)
    LogEntry.objects.bulk_create(
        LogEntry(
            user_id=user_id,
            content_type=groups,
            object_id="1",
            object_repr="Editors",
            action_flag=flag,
            change_message="[]",
            action_time=cutoff,
        )
        for flag in (ADDITION, CHANGE)
    )


def confirmations(ids, cutoff, now):
    sent = {
        "confirmation_recent": now - timedelta(days=1),
        "confirmation_old": cutoff - timedelta(days=400),
        "confirmation_unsent": None,
    }
    addresses = {address.user_id: address for address in EmailAddress.objects.filter(user__username__in=sent)}
    EmailConfirmation.objects.bulk_create(
        EmailConfirmation(
            email_address=addresses[ids[label]],
            created=instant or cutoff - timedelta(days=400),
            sent=instant,
            key=label.replace("_", "").ljust(64, "0"),
        )
        for label, instant in sent.items()
    )


def session(user_id, now):
    user = get_user_model().objects.get(pk=user_id)
    data = {
        SESSION_KEY: str(user_id),
        BACKEND_SESSION_KEY: "django.contrib.auth.backends.ModelBackend",
        HASH_SESSION_KEY: user.get_session_auth_hash(),
    }
    Session.objects.create(
        session_key="s" * 32, session_data=SessionStore().encode(data), expire_date=now + timedelta(days=14)
    )
