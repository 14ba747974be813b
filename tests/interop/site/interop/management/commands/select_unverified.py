import datetime
import warnings

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError
from django.test import override_settings

from interop.instants import instant
from interop.json_command import JsonCommand


class Command(JsonCommand):
    help = "Prints the sorted ids of the users with an unverified primary address and no log-in after the cut-off."

    def add_arguments(self, parser):
        parser.add_argument("--cutoff", help="an ISO 8601 instant")
        parser.add_argument("--date", help="YYYY-MM-DD, handed to the query as a date")
        parser.add_argument("--time-zone", help="the site's TIME_ZONE while the query runs")

    def answer(self, cutoff, date, time_zone, **options):
        if bool(cutoff) == bool(date):
            raise CommandError("give --cutoff or --date")
        if cutoff:
            return unverified_since(instant(cutoff))
        return unverified_since_date(date, time_zone)


def unverified_users(cutoff):
    """A user with two unverified primary addresses is in it twice."""
    users = get_user_model().objects.filter(emailaddress__verified=False, emailaddress__primary=True)
    return users.exclude(last_login__gt=cutoff)


def unverified_since(cutoff):
    return sorted(unverified_users(cutoff).distinct().values_list("pk", flat=True))


def unverified_since_date(text, time_zone):
    """A date is midnight in the site's default zone; Django says so with a warning."""
    changed = {"TIME_ZONE": time_zone} if time_zone else {}
    with override_settings(**changed), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return unverified_since(datetime.date.fromisoformat(text))
