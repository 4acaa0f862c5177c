from __future__ import annotations

import pytest

from llm_lsp.core.secrets.names import is_secret_variable


@pytest.mark.parametrize(
    "name",
    [
        "AWS_SECRET_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "DJANGO_SECRET_KEY",
        "STRIPE_SECRET_KEY",
        "GITHUB_PAT",
        "AZURE_DEVOPS_EXT_PAT",
        "DB_PASS",
        "DB_PASS_RO",
        "SSHPASS",
        "MYSQL_PWD",
        "PGPASSWORD",
        "SSH_PASSPHRASE",
        "NPM_AUTH",
        "REDISCLI_AUTH",
        "TOKEN_SIGNING_KEY",
        "MAPS_KEY_PROD",
        "openai_api_key",
        "OPENAI_APIKEY2",
        "SECRET_OF_MINE",
        "SLACK_WEBHOOK_URL",
        "SENTRY_DSN",
        "apiToken",
        "AZURE_CREDENTIALS",
    ],
)
def test_a_word_of_secrets_anywhere_makes_a_variable_a_secrets(name: str) -> None:
    assert is_secret_variable(name)


@pytest.mark.parametrize(
    "name", ["PWD", "OLDPWD", "PATH", "PATTERN", "PASSENGERS", "AUTHOR", "AUTHOR_NAME", "KEYBOARD", "HOME"]
)
def test_a_word_that_only_begins_like_one_is_none(name: str) -> None:
    assert not is_secret_variable(name)
