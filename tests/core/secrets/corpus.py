"""Builds texts with secrets of many formats in many surroundings, the same from the same seed.

A format is a template: `<W36>` stands for 36 random characters of a class, `«…»` encloses what is secret of a
statement. The formats are written down here a second time, from the vendors' and scanners' descriptions, so that what
the package says of them is not held against itself.
"""

from __future__ import annotations

import base64
import random
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass

CLASSES = {
    "W": string.ascii_letters + string.digits,
    "w": string.ascii_lowercase + string.digits,
    "U": string.ascii_uppercase + string.digits,
    "T": string.ascii_uppercase + "234567",
    "L": string.ascii_letters,
    "a": string.ascii_lowercase,
    "d": string.digits,
    "h": "0123456789abcdef",
    "H": "0123456789ABCDEF",
    "s": string.ascii_letters + string.digits + "_-",
    "b": string.ascii_letters + string.digits + "+/",
    # What people and generators of passwords use; without quotes, backslashes and what ends a field.
    "p": string.ascii_letters + string.digits + "!#%*+-=?@^_~.",
}
_FIELD = re.compile(r"<([A-Za-z])(\d*)>")
KEPT_CHARS = 4

TOKENS = {
    "aws-access-key": "AKIA<T16>",
    "aws-session-key": "ASIA<T16>",
    "aws-bedrock": "ABSK<b120>",
    "anthropic": "sk-ant-api03-<s93>AA",
    "anthropic-admin": "sk-ant-admin01-<s93>AA",
    "anthropic-oauth": "sk-ant-oat01-<s93>AA",
    "openai-old": "sk-<W20>T3BlbkFJ<W20>",
    "openai-project": "sk-proj-<s74>T3BlbkFJ<s74>",
    "openai-service": "sk-svcacct-<s58>T3BlbkFJ<s58>",
    "openai-admin": "sk-admin-<s58>T3BlbkFJ<s58>",
    "openrouter": "sk-or-v1-<h64>",
    "deepseek": "sk-<h32>",
    "moonshot": "sk-<W48>",
    "long-sk": "sk-<W70>",
    "langfuse": "sk-lf-<u>",
    "groq": "gsk_<W52>",
    "xai": "xai-<W80>",
    "perplexity": "pplx-<W48>",
    "replicate": "r8_<W37>",
    "fireworks": "fw_<W24>",
    "hugging-face": "hf_<L34>",
    "hugging-face-org": "api_org_<L34>",
    "cerebras": "csk-<w48>",
    "nvidia": "nvapi-<s64>",
    "langsmith": "lsv2_pt_<h32>_<h10>",
    "langsmith-service": "lsv2_sk_<h32>_<h10>",
    "pinecone": "pcsk_<W6>_<W64>",
    "tavily": "tvly-<W32>",
    "github-pat": "ghp_<W36>",
    "github-oauth": "gho_<W36>",
    "github-user": "ghu_<W36>",
    "github-app": "ghs_<W36>",
    "github-refresh": "ghr_<W76>",
    "github-fine-grained": "github_pat_<W22>_<W59>",
    "gitlab-pat": "glpat-<s20>",
    "gitlab-routable": "glpat-<s27>.01.<w9>",
    "gitlab-deploy": "gldt-<s20>",
    "gitlab-runner": "glrt-<s20>",
    "gitlab-runner-old": "GR1348941<s20>",
    "gitlab-job": "glcbt-64_<s20>",
    "gitlab-trigger": "glptt-<h40>",
    "gitlab-agent": "glagent-<s50>",
    "gitlab-feed": "glft-<s20>",
    "gitlab-oauth": "gloas-<s64>",
    "gitlab-flags": "glffct-<s20>",
    "bitbucket": "ATBB<W32>",
    "atlassian": "ATATT3<s186>",
    "slack-bot": "xoxb-<d12>-<d12>-<W24>",
    "slack-user": "xoxp-<d12>-<d12>-<d12>-<h32>",
    "slack-legacy": "xoxs-<d10>-<d10>-<d10>-<h10>",
    "slack-app": "xapp-1-<U11>-<d13>-<h64>",
    "slack-config": "xoxe.xoxp-1-<U163>",
    "slack-webhook": "https://hooks.slack.com/services/«T<U8>/B<U10>/<W24>»",
    "discord-webhook": "https://discord.com/api/webhooks/<d18>/«<s68>»",
    "discord-bot": "M<W23>.<s6>.<s38>",
    "teams-webhook": "https://a.webhook.office.com/webhookb2/«<u>@<u>/IncomingWebhook/<h32>/<u>»",
    "telegram": "<d10>:«AA<s33>»",
    "stripe-live": "sk_live_<W24>",
    "stripe-long": "sk_live_<W99>",
    "stripe-test": "sk_test_<W24>",
    "stripe-restricted": "rk_live_<W24>",
    "stripe-webhook": "whsec_<W32>",
    "square": "sq0atp-<s22>",
    "square-secret": "sq0csp-<s43>",
    "square-access": "EAAA<s60>",
    "facebook": "EAAC<W120>",
    "shopify-access": "shpat_<h32>",
    "shopify-shared": "shpss_<h32>",
    "shopify-custom": "shpca_<h32>",
    "shopify-private": "shppa_<h32>",
    "easypost": "EZAK<W54>",
    "duffel": "duffel_live_<s43>",
    "shippo": "shippo_live_<h40>",
    "flutterwave": "FLWSECK_TEST-<h32>-X",
    "plaid": "access-production-<u>",
    "lob": "live_<h35>",
    "razorpay": "rzp_live_<W14>",
    "google-api": "AIza<s35>",
    "google-oauth": "GOCSPX-<s28>",
    "google-access": "ya29.<s120>",
    "azure-ad": "<s3>8Q~<s34>",
    "azure-storage": "AccountKey=«<b86>==»",
    "alibaba": "LTAI<W20>",
    "tencent": "AKID<W32>",
    "yandex": "AQVN<s36>",
    "digitalocean-pat": "dop_v1_<h64>",
    "digitalocean-oauth": "doo_v1_<h64>",
    "digitalocean-refresh": "dor_v1_<h64>",
    "heroku": "HRKU-AA<s58>",
    "flyio": "fo1_<s43>",
    "flyio-macaroon": "fm2_<b140>",
    "scalingo": "tk-us-<s48>",
    "cloudflare-origin": "v1.0-<h24>-<h146>",
    "openshift": "sha256~<s43>",
    "terraform-cloud": "<W14>.atlasv1.<s64>",
    "vault-service": "hvs.<s96>",
    "vault-batch": "hvb.<s140>",
    "pulumi": "pul-<h40>",
    "doppler": "dp.pt.<W43>",
    "doppler-service": "dp.st.dev_x.<W43>",
    "infracost": "ico-<W32>",
    "harness": "pat.<s22>.<W24>.<W20>",
    "octopus-deploy": "API-<U26>",
    "databricks": "dapi<h32>",
    "clickhouse": "4b1d<W38>",
    "planetscale-token": "pscale_tkn_<s43>",
    "planetscale-password": "pscale_pw_<s43>",
    "supabase": "sbp_<h40>",
    "supabase-secret": "sb_secret_<s31>",
    "prefect": "pnu_<W36>",
    "defined-networking": "dnkey-<s26>-<s52>",
    "tailscale": "tskey-auth-<W17>-<W32>",
    "age": "AGE-SECRET-KEY-1<t58>",
    "1password-service": "ops_eyJ<b300>",
    "1password-key": "A3-<U6>-<U11>-<U5>-<U5>-<U5>",
    "npm": "npm_<W36>",
    "pypi": "pypi-AgEIcHlwaS5vcmc<s120>",
    "rubygems": "rubygems_<h48>",
    "clojars": "CLOJARS_<w60>",
    "nuget": "oy2<w43>",
    "crates-io": "cio<W32>",
    "artifactory": "AKCp<W69>",
    "artifactory-reference": "cmVmd<W59>",
    "docker": "dckr_pat_<s27>",
    "sourcegraph": "sgp_<h40>",
    "sourcegraph-new": "sgp_<h16>_<h40>",
    "sonar": "squ_<h40>",
    "sonar-project": "sqp_<h40>",
    "circleci": "CCIPAT_<W22>_<h40>",
    "netlify": "nfp_<W36>",
    "postman": "PMAK-<h24>-<h34>",
    "readme": "rdme_<w70>",
    "sentry-user": "sntryu_<h64>",
    "sentry-org": "sntrys_eyJpYXQiO<b60>_<b43>",
    "launchdarkly": "sdk-<u>",
    "sendgrid": "SG.<s22>.<s43>",
    "brevo": "xkeysib-<h64>-<W16>",
    "mailgun": "key-<h32>",
    "mailchimp": "<h32>-us12",
    "twilio-key": "SK<h32>",
    "twilio-account": "AC<h32>",
    "mapbox": "sk.eyJ<W80>.<s22>",
    "typeform": "tfp_<s59>",
    "frameio": "fio-u-<s64>",
    "dropbox": "sl.<s135>",
    "linear": "lin_api_<W40>",
    "linear-oauth": "lin_oauth_<h64>",
    "figma": "figd_<s40>",
    "notion": "ntn_<d11><W35>",
    "notion-old": "secret_<W43>",
    "airtable": "pat<W14>.<h64>",
    "contentful": "CFPAT-<s43>",
    "intra42": "s-s4t2ud-<h64>",
    "adobe": "p8e-<w32>",
    "maxmind": "<W6>_<W29>_mmk",
    "settlemint": "sm_pat_<W16>",
    "hubspot": "pat-na1-<u>",
    "grafana-cloud": "glc_<b60>",
    "grafana-service": "glsa_<W32>_<h8>",
    "dynatrace": "dt0c01.<U24>.<U64>",
    "newrelic": "NRAK-<U27>",
    "newrelic-insert": "NRII-<s32>",
    "newrelic-browser": "NRJS-<h19>",
    "jwt": "eyJ<s30>.eyJ<s80>.<s43>",
    "jwt-base64": "ZXlKaGJHY2lPaU<b120>",
    "pem-in-base64": "LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQ<b400>",
    "url-password": "postgres://app:«<w12>»@db.example/x",
}
STATEMENTS = {
    "quoted": 'password = "«<p14>»"',
    "single-quoted": "db_password='«<p14>»'",
    "dollar": 'password = "«<p5>$<p8>»"',
    "less-than": 'password = "«<p5>%3C<<p8>»"',
    "blanks": 'password = "«<p6> <p6>»"',
    "json": '"apiKey": "«<W24>»"',
    "json-escaped": r"{\"client_secret\": \"«<W24>»\"}",
    "yaml": "db_password: «<p14>»",
    "yaml-quoted": "  secret_key: '«<p20>»'",
    "properties": "spring.datasource.password=«<p14>»",
    "ini": "passwd = «<p14>»",
    "env-file": "DB_PASSWORD=«<p14>»",
    "export": "export API_TOKEN=«<W30>»",
    "command-variable": "PGPASSWORD=«<p14>» psql -h db",
    "ado-net": '"Server=db;Database=x;User Id=sa;Password=«<p8> <p6>»;"',
    "odbc": '"Driver={SQL};Uid=sa;Pwd=«<p14>»;"',
    "jdbc": '"jdbc:mysql://db/x?user=app&password=«<W14>»&useSSL=true"',
    "systemd": "Environment=A=1 DB_PASSWORD=«<W14>» B=2",
    "systemd-quoted": 'Environment="A=1" "DB_PASSWORD=«<p14>»"',
    "xml-element": "<password>«<p14>»</password>",
    "xml-attribute": '<user name="app" password="«<p14>»"/>',
    "xml-add": '<add key="ApiPassword" value="«<p14>»"/>',
    "option": "mysqldump --password «<W14>» db",
    "option-equals": "mysqldump --password=«<W14>» db",
    "option-token": "tool login --token «<W30>»",
    "curl-user": "curl -u admin:«<W14>» https://h/x",
    "curl-user-quoted": 'curl --user "admin:«<W14>»" https://h/x',
    "netrc": "machine h login u password «<W14>»",
    "netrc-line": "  password «<W14>»",
    "pgpass": "db.example:5432:app:user:«<W14>»",
    "docker-env": "ENV DB_PASSWORD «<p14>»",
    "docker-env-equals": "ENV DB_PASSWORD=«<p14>»",
    "docker-arg": "ARG NPM_TOKEN=«<W30>»",
    "docker-run": "docker run -e DB_PASSWORD=«<W14>» image",
    "query": "https://h/x?api_key=«<W24>»&page=2",
    "query-token": "https://h/x?a=1&access_token=«<W30>»",
    "kubeconfig": "    client-key-data: «<b120>»",
    "kubeconfig-token": "    token: «<W60>»",
    "docker-auth": '"auth": "«<basic>»"',
    "npm-auth": "//registry.example/:_auth=«<basic>»",
    "npm-auth-token": "//registry.example/:_authToken=«<W36>»",
    "npm-password": "//registry.example/:_password=«<b24>»",
    "typescript": 'apiSecret?: string = "«<W24>»";',
    "typescript-typed": "private readonly token: string = '«<W24>»';",
    "rust": 'const TOKEN: &\'static str = "«<W24>»";',
    "rust-str": 'let secret: &str = "«<W24>»";',
    "go": 'secret := "«<W24>»"',
    "go-var": 'var apiToken string = "«<W24>»"',
    "java": 'private static final String PASSWORD = "«<p14>»";',
    "csharp": 'public string Password { get; set; } = "«<p14>»";',
    "c": 'static const char secret[] = "«<W24>»";',
    "define": '#define WIFI_PASSWORD "«<p14>»"',
    "php-define": "define('DB_PASSWORD', '«<p14>»');",
    "php-array": "'password' => '«<p14>»',",
    "ruby": ":password => '«<p14>»'",
    "perl": 'my $password = "«<p14>»";',
    "lisp": '(setq my-password "«<p14>»")',
    "powershell": '$env:API_TOKEN = "«<W24>»"',
    "windows-set": "set API_TOKEN=«<W24>»",
    "fish": "set -x API_TOKEN «<W24>»",
    "makefile": "API_TOKEN ?= «<W24>»",
    "terraform": 'master_password = "«<p14>»"',
    "nix": 'password = "«<p14>»";',
    "getenv-default": 'os.environ.get("API_TOKEN", "«<W24>»")',
    "subscript": 'config["password"] = "«<p14>»"',
    "attribute": 'self.client_secret = "«<W24>»"',
    "keyword-argument": 'connect(user="a", password="«<p14>»")',
    "comparison": 'if token == "«<W24>»":',
    "header": 'headers = {"X-API-Key": "«<W24>»"}',
    "header-line": "X-Api-Key: «<W24>»",
    "bearer": "Authorization: Bearer «<W40>»",
    "bearer-curl": 'curl -H "Authorization: Bearer «<W40>»" https://h',
    "basic": "Authorization: Basic «<basic>»",
    "token-header": "Authorization: token «<W40>»",
    "html-input": '<input name="csrf_token" value="«<W32>»">',
    "json-name-value": '{"name": "DB_PASSWORD", "value": "«<p14>»"}',
    "aws-secret": "aws_secret_access_key = «<b40>»",
    "signing-key": 'SIGNING_KEY = "«<W40>»"',
    "encryption-key": 'encryption_key: "«<h32>»"',
    "passphrase": 'passphrase = "«<p16>»"',
    "django": 'SECRET_KEY = "«django-insecure-<p50>»"',
    "sql": "CREATE USER app PASSWORD '«<p14>»';",
    "adafruit": 'adafruit_io = "«<w32>»"',
    "airtable-key": 'airtable = "«<w17>»"',
    "algolia": 'ALGOLIA_ADMIN = "«<h32>»"',
    "asana": "asana_client_secret = '«<w32>»'",
    "bitbucket-client": 'bitbucket_client_secret = "«<s64>»"',
    "bittrex": 'bittrex_access = "«<w32>»"',
    "cloudflare": 'cloudflare_api = "«<s40>»"',
    "codecov": 'CODECOV = "«<w32>»"',
    "cohere": 'cohere_api_key="«<W40>»"',
    "coinbase": 'coinbase: "«<s64>»"',
    "datadog": 'datadog_app = "«<h40>»"',
    "discord-secret": 'discord_client_secret = "«<s32>»"',
    "dropbox-key": 'dropbox_api = "«<w15>»"',
    "etsy": 'etsy_keystring = "«<w24>»"',
    "fastly": 'FASTLY_API = "«<s32>»"',
    "finnhub": 'finnhub = "«<w20>»"',
    "gitter": 'gitter_token = "«<s40>»"',
    "heroku-uuid": 'HEROKU_API_KEY = "«<u>»"',
    "intercom": 'intercom = "«<s60>»"',
    "jfrog": 'jfrog = "«<w64>»"',
    "kraken": 'kraken_private = "«<b86>»"',
    "kucoin": 'kucoin = "«<h24>»"',
    "looker": 'looker_client_secret = "«<w24>»"',
    "mattermost": 'mattermost = "«<w26>»"',
    "meraki": 'meraki = "«<h40>»"',
    "okta": 'okta_api = "«00<s40>»"',
    "rapidapi": '"x-rapidapi-key": "«<s50>»"',
    "snyk": 'SNYK_TOKEN = "«<u>»"',
    "telegram-token": 'telegram = "«<d10>:A<s34>»"',
    "travis": 'travis = "«<w22>»"',
    "twitch": 'twitch = "«<w30>»"',
    "twitter": 'twitter_access = "«<w45>»"',
    "zendesk": 'zendesk = "«<w40>»"',
}
# What stands before and after a token.
TOKEN_SURROUNDINGS = {
    "alone": ("", ""),
    "quoted": ('x = "', '"'),
    "single-quoted": ("call('", "')"),
    "json": ('{"a": "', '", "b": 1}'),
    "yaml": ("value: ", ""),
    "shell": ("export X=", ""),
    "comment": ("# ask me for ", " or so"),
    "escaped newline before": (r'"user\n', '"'),
    "escaped tab before": (r'"user\t', '"'),
    "percent before": ("?next=a%3D", "&b=1"),
    "unicode escape before": (r'"q\u003d', r'\u0026b"'),
    "hex escape before": (r'"q\x3d', '"'),
    "underscore before": ("cache_", ""),
    "escaped newline after": ('"', r'\nnext"'),
    "percent after": ("", "%20next"),
    "query": ("https://h/x?k=", "&page=2"),
    "element": ("<value>", "</value>"),
    "list": ("a, ", ", b"),
    "semicolon": ("t=", ";Path=/"),
    "escaped quotes": (r"{\"a\": \"", r"\"}"),
    "next line": ("above\n", "\nbelow"),
    "template": ("`${a}", "${b}`"),
}
# What stands before and after a statement.
STATEMENT_SURROUNDINGS = {
    "alone": ("", ""),
    "indented": ("    ", ""),
    "tab": ("\t", ""),
    "comment": ("# ", ""),
    "slashes": ("// ", ""),
    "star": (" * ", ""),
    "added": ("+", ""),
    "removed": ("-", ""),
    "quote": ("> ", ""),
    "item": ("- ", ""),
    "below": ("x = 1\n", ""),
    "above": ("", "\nx = 1"),
    "between": ("a\n\n", "\n\nb\n"),
    "CRLF": ("a\r\n", "\r\nb"),
    "blanks after": ("", "  "),
    "tab after": ("", "\t"),
    "end of file": ("", "\n"),
    "letters before": ("密码\n", "\n密码"),
    "fence": ("```\n", "\n```"),
    "deep": ("            ", "\n}"),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A text with one secret."""

    format: str
    surroundings: str
    text: str
    random_chars: tuple[int, ...]
    """The places of the secret's random letters and digits."""

    def is_hidden_in(self, masked: str) -> bool:
        """Return whether a masked text keeps none of the random characters but for the first few."""
        kept = self.random_chars[0] + KEPT_CHARS
        return len(masked) == len(self.text) and all(
            masked[at] in "Xx0" for at in self.random_chars if at >= kept
        )


def samples(seed: int) -> Iterator[Sample]:
    """Yield a sample of each format in each of its surroundings."""
    dice = random.Random(seed)
    for formats, surroundings in ((TOKENS, TOKEN_SURROUNDINGS), (STATEMENTS, STATEMENT_SURROUNDINGS)):
        for name, template in formats.items():
            for where, (before, after) in surroundings.items():
                yield _sample(dice, name, template, where, before, after)


def _sample(dice: random.Random, name: str, template: str, where: str, before: str, after: str) -> Sample:
    text, places = before, []
    is_secret = "«" not in template
    at = 0
    template = template.replace("<basic>", "<B>")
    while at < len(template):
        field = _FIELD.match(template, at)
        if template[at] in "«»":
            is_secret = template[at] == "«"
            at += 1
            continue
        piece = _random(dice, field[1], int(field[2] or 0)) if field else template[at]
        if field and is_secret:
            places += [len(text) + i for i, c in enumerate(piece) if c.isalnum() and c not in "Xx0"]
        text += piece
        at = field.end() if field else at + 1
    return Sample(name, where, text + after, tuple(places))


def _random(dice: random.Random, kind: str, count: int) -> str:
    if kind == "u":
        return "-".join("".join(dice.choices(CLASSES["h"], k=n)) for n in (8, 4, 4, 4, 12))
    if kind == "t":
        return "".join(dice.choices("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", k=count))
    if kind == "B":
        return base64.b64encode(b"app:" + "".join(dice.choices(CLASSES["W"], k=14)).encode()).decode()
    return "".join(dice.choices(CLASSES[kind], k=count))
