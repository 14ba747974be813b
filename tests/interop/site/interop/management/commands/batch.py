from django.core.management import load_command_class

from interop.json_command import JsonCommand


class Command(JsonCommand):
    help = 'Runs several of these commands in one process: [{"args": ["dump_tables"], "stdin": null}, …] on standard input.'
    reads_input = True

    def answer(self, given, **options):
        return [answer_of(step["args"], step.get("stdin")) for step in given]


def answer_of(args, given):
    name, *rest = args
    command = load_command_class("interop", name)
    options = vars(command.create_parser("manage.py", name).parse_args(rest))
    return command.answer(given=given, **options)
