"""Rows without Django's conversions, so that a difference in how a value is stored shows."""
import sqlite3
from contextlib import closing

NOT_COMPARED = ("django_session", "sqlite_", "usermgmt_")


def tables(connection):
    names = connection.introspection.table_names()
    return [name for name in names if not name.startswith(NOT_COMPARED)]


def stored_rows(connection, table):
    """Returns a list of {column: value}: on PostgreSQL each value as text, on SQLite each in its storage class."""
    read = sqlite_rows if connection.vendor == "sqlite" else postgres_rows
    return read(connection, table)


def postgres_rows(connection, table):
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        columns = [column.name for column in connection.introspection.get_table_description(cursor, table)]
        as_text = ", ".join(f"{quote(column)}::text" for column in sorted(columns))
        cursor.execute(f"SELECT {as_text} FROM {quote(table)}")
        return [dict(zip(sorted(columns), row)) for row in cursor.fetchall()]


def sqlite_rows(connection, table):
    """Django's own connection parses declared types; this one gives what the file holds."""
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as plain:
        cursor = plain.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
        columns = [description[0] for description in cursor.description]
        return [dict(sorted(zip(columns, map(shown, row)))) for row in cursor]


def shown(value):
    return "x" + value.hex() if isinstance(value, bytes) else value
