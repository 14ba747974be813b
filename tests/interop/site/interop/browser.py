"""What a visitor's browser does, through Django's test client."""
import re
from pathlib import Path

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.core import mail
from django.test import Client


def visitor():
    return Client(raise_request_exception=False)


def logs_in(user, login, password):
    """Returns whether POST /accounts/login/ with this login makes a session of this user."""
    client = visitor()
    client.post("/accounts/login/", {"login": login, "password": password})
    return client.session.get(SESSION_KEY) == str(user.pk)


def form_errors(response):
    lists = re.findall(r'<ul class="errorlist[^"]*">(.*?)</ul>', response.content.decode(), re.DOTALL)
    return [error for found in lists for error in re.findall(r"<li>(.*?)</li>", found, re.DOTALL)]


def sent_mails():
    """Returns the texts of the mails sent so far, from the outbox or from the directory of files."""
    if settings.EMAIL_FILE_PATH:
        return [path.read_text() for path in sorted(Path(settings.EMAIL_FILE_PATH).glob("*"))]
    return [message.body for message in getattr(mail, "outbox", [])]


def confirmation_urls(text):
    return re.findall(r"https?://\S+/confirm-email/\S+", text)
