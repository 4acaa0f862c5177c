"""The names of secrets, in variables and in code."""

from __future__ import annotations

import re

# Parts, in lower case, that make any name containing them the name of a secret.
SECRET_PARTS = (
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "credential",
    "apikey",
    "pwd",
)
# Words that do, at the end of a word: `DB_PASS` and `SSHPASS`, not `PASSENGERS`. In code they stand for other things,
# too: there the value must look made by a machine.
WEAK_WORDS = (
    *(
        "key",
        "keys",
        "pass",
        "pw",
        "auth",
        "authorization",
        "pat",
        "creds",
        "cred",
        "dsn",
        "jwt",
        "webhook",
        "bearer",
    ),
    *("salt", "psk", "community", "session", "sessionid", "cookie"),
)
# Words before `key` that make it a secret: `signing_key`, `accessKey`.
SECRET_KEYS = (
    *("api", "access", "private", "secret", "signing", "encryption", "master", "account", "auth", "storage"),
    *("shared", "license", "service", "deploy"),
)
# Services whose keys have no recognizable format: a machine-made value assigned to such a name is a secret.
_SERVICES = (
    "adafruit adobe airtable algolia alibaba asana atlassian beamer bitbucket bittrex cloudflare codecov "
    "cohere coinbase confluence confluent contentful datadog discord droneci dropbox etsy facebook fastly "
    "finicity finnhub flickr freshbooks gitter heroku hubspot intercom jfrog jira kraken kucoin launchdarkly "
    "linkedin looker mailgun mapbox mattermost meraki messagebird netlify newrelic nytimes okta pagerduty "
    "plaid privateai rapidapi sendbird sentry snyk sonar squarespace sumo sumologic telegram travis twilio "
    "twitch twitter wakatime yandex zendesk zoom"
)
SERVICES = frozenset(_SERVICES.split())
_WORD = re.compile(r"[a-z]+")
# Shells keep the current and the previous folder in variables whose names look like a password's.
_FOLDERS = frozenset({"pwd", "oldpwd"})


def is_secret_variable(name: str) -> bool:
    """Check whether an environment variable contains a secret, judging by its name."""
    lowered = name.lower()
    if lowered in _FOLDERS:
        return False
    return any(part in lowered for part in SECRET_PARTS) or any(
        word.endswith(WEAK_WORDS) for word in _WORD.findall(lowered)
    )
