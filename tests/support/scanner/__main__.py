"""Install the scanner, or find it, and print where it lies."""

from support.scanner.environment import find_or_install

print(find_or_install())  # noqa: T201 - a command's answer
