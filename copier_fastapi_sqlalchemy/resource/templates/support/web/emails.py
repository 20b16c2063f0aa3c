"""Emails, which are addresses alone."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, EmailStr, StringConstraints


def without_name(value: Any) -> Any:
    """Return a text without spaces around it; raise ValueError where a name is with the email."""
    if not isinstance(value, str):
        return value
    if "<" in value:
        raise ValueError("an email is the address alone, without a name and without < and >")
    return value.strip()


def without_encoded_word(email: str) -> str:
    """Return the email; raise ValueError where a mail to it would go to another address."""
    if "=?" in email:
        raise ValueError("an email can't have =? in it, which stands for other characters in mails")
    return email


Email = Annotated[
    EmailStr,
    BeforeValidator(without_name),
    StringConstraints(max_length=254, to_lower=True),
    AfterValidator(without_encoded_word),
]
