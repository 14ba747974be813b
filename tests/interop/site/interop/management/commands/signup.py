from allauth.account.models import EmailAddress
from django.contrib.auth import get_user_model

from interop.browser import confirmation_urls, form_errors, sent_mails, visitor
from interop.json_command import JsonCommand


class Command(JsonCommand):
    help = "Signs somebody up on allauth's page."

    def add_arguments(self, parser):
        for name in ("username", "email", "password"):
            parser.add_argument(f"--{name}", required=True)

    def answer(self, username, email, password, **options):
        users_before = get_user_model().objects.count()
        mails_before = len(sent_mails())
        form = {"username": username, "email": email, "password1": password, "password2": password}
        response = visitor().post("/accounts/signup/", form)
        mails = sent_mails()[mails_before:]
        return {
            "status": response.status_code,
            "location": response.get("Location"),
            "errors": form_errors(response),
            "created": get_user_model().objects.count() > users_before,
            "user": get_user_model().objects.filter(username=username).values(*USER_FIELDS).first(),
            "address": EmailAddress.objects.filter(email__iexact=email).values(*ADDRESS_FIELDS).first(),
            "mails": len(mails),
            "confirmation_urls": [url for mail in mails for url in confirmation_urls(mail)],
        }


USER_FIELDS = ("id", "username", "email", "is_active", "last_login", "date_joined")
ADDRESS_FIELDS = ("id", "user_id", "email", "verified", "primary")
