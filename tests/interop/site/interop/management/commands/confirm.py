from urllib.parse import urlsplit

from allauth.account.models import EmailAddress

from interop.browser import visitor
from interop.json_command import JsonCommand


class Command(JsonCommand):
    help = "Opens a confirmation link and presses its button."

    def add_arguments(self, parser):
        parser.add_argument("--url", required=True, help="absolute, or from the first slash")

    def answer(self, url, **options):
        path = urlsplit(url).path
        before = verified_addresses()
        opened = visitor().get(path)
        after_get = verified_addresses() - before
        pressed = visitor().post(path)
        verified = sorted(verified_addresses() - before)
        return {
            "get_status": opened.status_code,
            "post_status": pressed.status_code,
            "location": pressed.get("Location"),
            "verified": bool(verified),
            "verified_by_get": bool(after_get),
            "addresses": verified,
        }


def verified_addresses():
    return set(EmailAddress.objects.filter(verified=True).values_list("email", flat=True))
