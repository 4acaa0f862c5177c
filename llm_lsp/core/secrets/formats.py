"""The formats of vendors' keys and tokens.

The formats are the vendors' own, compared with the rules of gitleaks (b58d3f1) and the plugins of
detect-secrets; the expressions are written here. Each has literals, one of which every match begins with or,
with `behind`, holds at a fixed place: looking for these first makes a text without secrets cheap. No expression
can go back and forth, so that none is made slow by a crafted text.
"""

from __future__ import annotations

from dataclasses import dataclass
from re import escape


@dataclass(frozen=True, slots=True)
class SecretFormat:
    """One kind of secret: the text directly before and after one of some literals."""

    name: str
    literals: tuple[str, ...]
    """Each has at least three characters and no blanks."""
    rest: str
    """The group `secret` is what to redact; without it, the whole match is."""
    head: str = ""
    head_chars: int = 0
    """Number of characters that `head` matches, always the same."""
    kept_chars: int = 4
    """Number of characters at the start that are kept, so that a reader can tell the kind: `sk-a`, `ghp_`."""
    is_distinct: bool = True
    """Whether its literal occurs in nothing else. If not, a letter or digit may stand before it only where the
    rest has a digit, or looks made by a machine: `EURASIA…` is no `ASIA…`.
    """
    is_sure: bool = True
    """Whether every match is a secret. If not, the rest must look machine-made."""

    def pattern(self, literal: str) -> str:
        """Return the regular expression for one of its literals."""
        return f"{self.head}{escape(literal)}{self.rest}"


def _begins(
    name: str, literals: str, rest: str, *, is_distinct: bool = True, is_sure: bool = True
) -> SecretFormat:
    """Build the format of tokens that begin with one of some literals."""
    return SecretFormat(name, tuple(literals.split()), rest, is_distinct=is_distinct, is_sure=is_sure)


_WEAK = {"is_distinct": False}
_GUESS = {"is_distinct": False, "is_sure": False}

FORMATS = (
    # Clouds and machines.
    _begins("aws-access-key", "AKIA ASIA ABIA ACCA", r"[A-Z2-7]{16}(?![A-Z0-9])", **_WEAK),
    _begins("aws-bedrock", "ABSK", r"[A-Za-z0-9+/]{109,269}={0,2}", **_WEAK),
    _begins("aws-bedrock-short", "bedrock-api-key-", r"[A-Za-z0-9+/=]{30,4096}"),
    _begins("google-api", "AIza", r"[\w-]{35}"),
    _begins("google-oauth", "GOCSPX-", r"[\w-]{28}"),
    _begins("google-access", "ya29.", r"[\w-]{20,1024}", **_WEAK),
    _begins("google-refresh", "1//0", r"[\w-]{40,120}", **_GUESS),
    SecretFormat(
        "azure-storage",
        ("AccountKey=", "SharedAccessKey="),
        r"(?P<secret>[A-Za-z0-9+/%]{40,100}={0,2})",
        kept_chars=0,
    ),
    SecretFormat("azure-ad", tuple(f"{digit}Q~" for digit in range(10)), r"[\w.~-]{31,34}", r"[\w.~-]{3}", 3),
    SecretFormat("azure-signature", ("sig=",), r"(?P<secret>[A-Za-z0-9+/]{32,128}(?:%3[Dd]|=)|(?:[A-Za-z0-9]|%2[BbFf]){42,90}%3[Dd])", kept_chars=0),
    _begins("alibaba", "LTAI", r"[A-Za-z0-9]{12,24}", **_WEAK),
    _begins("tencent", "AKID", r"[A-Za-z0-9]{32}", **_WEAK),
    _begins("yandex", "AQVN", r"[\w-]{35,38}", **_WEAK),
    _begins("yandex-iam", "t1.", r"[\w-]{1,64}={0,2}\.[\w-]{86}={0,2}", **_WEAK),
    _begins("yandex-aws", "YCA YCB YCM YCN YCO YCP", r"[\w-]{37}", **_GUESS),
    _begins("digitalocean", "dop_v1_ doo_v1_ dor_v1_", r"[a-f0-9]{64}"),
    _begins("heroku", "HRKU-", r"[\w-]{36,64}", **_WEAK),
    _begins("flyio", "fo1_ fm1a_ fm1r_ fm2_", r"[\w+/-]{40,2048}={0,3}", **_WEAK),
    _begins("scalingo", "tk-us-", r"[\w-]{48}", **_WEAK),
    _begins("cloudflare-origin", "v1.0-", r"[a-f0-9]{24}-[a-f0-9]{146}", **_WEAK),
    _begins("openshift", "sha256~", r"[\w-]{43}"),
    SecretFormat("terraform-cloud", (".atlasv1.",), r"[\w=-]{60,70}", r"[A-Za-z0-9]{14}", 14),
    _begins("vault", "hvs. hvb. hvr.", r"[\w-]{24,300}", **_WEAK),
    _begins("pulumi", "pul-", r"[a-f0-9]{40}", **_WEAK),
    _begins("doppler", "dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.", r"(?:[a-z0-9_-]{1,35}\.)?[A-Za-z0-9]{40,44}", **_WEAK),
    _begins("infracost", "ico-", r"[A-Za-z0-9]{32}", **_WEAK),
    _begins("harness", "pat. sat.", r"[\w-]{22}\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{20}", **_WEAK),
    _begins("octopus-deploy", "API-", r"[A-Z0-9]{26,36}(?![\w-])", **_GUESS),
    _begins("databricks", "dapi", r"[a-f0-9]{32}(?:-\d)?", **_WEAK),
    _begins("clickhouse", "4b1d", r"[A-Za-z0-9]{38}(?![A-Za-z0-9])", **_GUESS),
    _begins("planetscale", "pscale_tkn_ pscale_oauth_ pscale_pw_", r"[\w=.-]{32,64}"),
    _begins("supabase", "sbp_ sb_secret_", r"[\w-]{31,48}", **_WEAK),
    _begins("prefect", "pnu_", r"[A-Za-z0-9]{36}", **_WEAK),
    _begins("defined-networking", "dnkey-", r"[\w=-]{26}-[\w=-]{52}"),
    _begins("tailscale", "tskey-", r"[a-z]{2,12}-[\w-]{16,64}"),
    _begins("age", "AGE-SECRET-KEY-1", r"[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
    _begins("1password", "ops_eyJ", r"[A-Za-z0-9+/]{250,4096}={0,3}"),
    SecretFormat("1password-key", ("A3-",), r"[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}", is_distinct=False),
    # A whole PEM file in base64, as in Kubernetes and CI variables; not a certificate's.
    _begins("private-key", "LS0tLS1CRUdJTi", r"(?!BDRVJUSUZJQ0FUR|BQVUJMSUMg|BUUlVTVEVE)[A-Za-z0-9+/]{40,16384}={0,2}"),
    # Code, packages and deployment.
    _begins("github", "ghp_ gho_ ghu_ ghs_ ghr_", r"[0-9A-Za-z]{36,255}"),
    _begins("github-fine-grained", "github_pat_", r"\w{82,255}"),
    _begins(
        "gitlab",
        "glpat- gldt- glrt- glrtr- glcbt- glptt- glagent- glsoat- glft- glimt- gloas- glffct- glwt-",
        r"[\w.-]{20,300}",
    ),
    _begins("gitlab-runner", "GR1348941", r"[\w-]{20}"),
    SecretFormat("gitlab-session", ("_gitlab_session=",), r"(?P<secret>[0-9a-f]{32})", kept_chars=0),
    _begins("bitbucket", "ATBB", r"[A-Za-z0-9]{32,40}", **_WEAK),
    _begins("atlassian", "ATATT3 ATCTT3 ATSTT3", r"[\w=-]{100,250}"),
    _begins("npm", "npm_", r"[A-Za-z0-9]{36,64}", **_GUESS),
    _begins("pypi", "pypi-AgE", r"[\w-]{50,1000}"),
    _begins("rubygems", "rubygems_", r"[a-f0-9]{48}"),
    _begins("clojars", "CLOJARS_", r"[a-z0-9]{60}"),
    _begins("nuget", "oy2", r"[a-z0-9]{43}(?![A-Za-z0-9])", **_GUESS),
    _begins("crates-io", "cio", r"[A-Za-z0-9]{32}(?![A-Za-z0-9])", **_GUESS),
    _begins("artifactory", "AKCp", r"[A-Za-z0-9]{69}", **_WEAK),
    _begins("artifactory-reference", "cmVmd", r"[A-Za-z0-9]{59}", **_WEAK),
    _begins("docker", "dckr_pat_ dckr_oat_", r"[\w-]{27,64}"),
    _begins("sourcegraph", "sgp_", r"(?:(?:[a-fA-F0-9]{16}|local)_)?[a-fA-F0-9]{40}", **_WEAK),
    _begins("sonar", "squ_ sqp_ sqa_", r"[a-f0-9]{40}", **_WEAK),
    _begins("buildkite", "bkua_ bkpat_", r"[a-f0-9]{40}", **_WEAK),
    _begins("circleci", "CCIPAT_ CCIPRJ_", r"[A-Za-z0-9]{22}_[a-f0-9]{40}"),
    _begins("netlify", "nfp_ nfc_ nfo_", r"[A-Za-z0-9]{36,40}", **_WEAK),
    _begins("vercel", "vcp_ vci_ vca_ vcr_ vck_", r"[\w-]{24,80}", **_GUESS),
    _begins("postman", "PMAK-", r"[a-fA-F0-9]{24}-[a-fA-F0-9]{34}", **_WEAK),
    _begins("readme", "rdme_", r"[a-z0-9]{70}", **_WEAK),
    _begins("sentry", "sntryu_ sntrys_", r"[\w+/=]{60,512}"),
    _begins("launchdarkly", "sdk- api- mob-", r"[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}", **_WEAK),
    # Models.
    _begins("anthropic", "sk-ant-", r"[a-z]{2,8}\d{2}-[\w-]{20,200}"),
    _begins("openai-project", "sk-proj- sk-svcacct- sk-admin-", r"[\w-]{40,256}"),
    _begins("openrouter", "sk-or-v1-", r"[0-9a-f]{64}"),
    _begins("generic-sk", "sk-", r"[A-Za-z0-9]{32,256}", **_WEAK),
    _begins("generic-sk", "sk- pk-lf-", r"(?!ssh-|ecdsa-)[\w-]{20,256}", **_GUESS),
    _begins("hugging-face", "hf_ api_org_", r"[A-Za-z]{34,40}(?![A-Za-z0-9])", **_WEAK),
    _begins("groq", "gsk_", r"[A-Za-z0-9]{52}", **_WEAK),
    _begins("xai", "xai-", r"[A-Za-z0-9]{80}", **_WEAK),
    _begins("perplexity", "pplx-", r"[A-Za-z0-9]{48}", **_WEAK),
    _begins("replicate", "r8_", r"[A-Za-z0-9]{37}", **_WEAK),
    _begins("fireworks", "fw_", r"[A-Za-z0-9]{22,24}(?![A-Za-z0-9])", **_GUESS),
    _begins("cerebras", "csk-", r"[a-z0-9]{48}", **_WEAK),
    _begins("nvidia", "nvapi-", r"[\w-]{60,80}"),
    _begins("langsmith", "lsv2_pt_ lsv2_sk_ ls__", r"[a-f0-9]{32}(?:_[a-f0-9]{10})?", **_WEAK),
    _begins("pinecone", "pcsk_", r"[A-Za-z0-9]{4,8}_[A-Za-z0-9]{40,80}"),
    _begins("tavily", "tvly-", r"(?:dev-|prod-)?[A-Za-z0-9]{32}", **_WEAK),
    _begins("voyage", "pa-", r"[\w-]{43}(?![\w-])", **_GUESS),
    # Money, mail, talk.
    _begins("stripe", "sk_live_ sk_test_ sk_prod_ rk_live_ rk_test_ rk_prod_", r"[A-Za-z0-9]{10,255}", **_WEAK),
    _begins("stripe-webhook", "whsec_", r"[A-Za-z0-9+/]{32,64}={0,2}"),
    _begins("square", "sq0", r"[a-z]{3}-[\w-]{22,43}", **_WEAK),
    _begins("square-access", "EAAA", r"[\w-]{60}(?![\w-])", **_WEAK),
    _begins("facebook", "EAA", r"[A-Za-z0-9]{80,400}+(?![A-Za-z0-9+/=])", **_GUESS),
    _begins("shopify", "shpat_ shpss_ shpca_ shppa_", r"[a-fA-F0-9]{32}"),
    _begins("easypost", "EZAK EZTK", r"[A-Za-z0-9]{54}", **_WEAK),
    _begins("duffel", "duffel_test_ duffel_live_", r"[\w=-]{43}"),
    _begins("shippo", "shippo_live_ shippo_test_", r"[a-fA-F0-9]{40}"),
    _begins("flutterwave", "FLWSECK_TEST- FLWSECK-", r"(?:[a-h0-9]{32}-X|[a-h0-9]{12})"),
    _begins("plaid", "access-sandbox- access-development- access-production-", r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    _begins("gocardless", "live_ sandbox_", r"[\w=-]{40}(?![\w=-])", **_GUESS),
    _begins("lob", "live_ test_", r"[a-f0-9]{35}(?![a-f0-9])", **_WEAK),
    _begins("razorpay", "rzp_live_ rzp_test_", r"[A-Za-z0-9]{14}"),
    _begins("braintree", "access_token$", r"(?:sandbox|production)\$[a-z0-9]{16}\$[a-f0-9]{32}"),
    _begins("adyen", "AQE", r"[A-Za-z0-9+/]{85,260}+-[\w+/=-]{40,60}", **_WEAK),
    _begins("slack", "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs- xoxe.xoxb- xoxe.xoxp- xoxd- xoxc-", r"[\w%-]{10,400}", **_WEAK),
    _begins("slack-app", "xapp-", r"\d-[A-Z0-9]{1,64}-\d{1,20}-[a-f0-9]{16,128}", **_WEAK),
    SecretFormat(
        "slack-webhook",
        ("hooks.slack.com/",),
        r"(?P<secret>(?:services|workflows|triggers)/[A-Za-z0-9+/]{36,80})",
        kept_chars=0,
    ),
    SecretFormat("discord-webhook", ("/api/webhooks/",), r"\d{17,20}/(?P<secret>[\w-]{60,72})", kept_chars=0),
    SecretFormat(
        "teams-webhook",
        ("/webhookb2/", "/IncomingWebhook/"),
        r"(?P<secret>[\w@/-]{32,256})",
        kept_chars=0,
    ),
    SecretFormat("telegram-bot", (":AA",), r"[\w-]{33}", r"\d{8}", 8),
    _begins("sendgrid", "SG.", r"[\w-]{22}\.[\w-]{43}", **_WEAK),
    _begins("brevo", "xkeysib- xsmtpsib-", r"[a-f0-9]{64}-[A-Za-z0-9]{16}"),
    _begins("mailgun", "key- pubkey-", r"[0-9a-f]{32}", **_WEAK),
    SecretFormat("mailchimp", ("-us1", "-us2", "-us3", "-us4", "-us5", "-us6", "-us7", "-us8", "-us9"), r"\d?(?!\w)", "[0-9a-f]{32}", 32),
    _begins("mapbox", "sk.eyJ pk.eyJ", r"[A-Za-z0-9]{20,256}\.[\w-]{22}", **_WEAK),
    _begins("typeform", "tfp_", r"[\w.=-]{40,64}", **_WEAK),
    _begins("frameio", "fio-u-", r"[\w=-]{64}", **_WEAK),
    _begins("dropbox", "sl.", r"[\w=-]{130,256}", **_GUESS),
    _begins("linear", "lin_api_ lin_oauth_ lin_wh_", r"[A-Za-z0-9]{40,64}"),
    _begins("figma", "figd_ figo_ figu_ figma_pat_", r"[\w-]{36,64}"),
    _begins("notion", "ntn_", r"[A-Za-z0-9]{43,50}", **_WEAK),
    _begins("notion", "secret_", r"[A-Za-z0-9]{43}(?![A-Za-z0-9])", **_GUESS),
    SecretFormat("airtable", ("pat",), r"[A-Za-z0-9]{14}\.[a-f0-9]{64}", is_distinct=False),
    _begins("contentful", "CFPAT-", r"[\w-]{43}"),
    _begins("intra42", "s-s4t2ud- s-s4t2af-", r"[a-f0-9]{64}"),
    _begins("adobe", "p8e-", r"[A-Za-z0-9]{32}", **_GUESS),
    SecretFormat("maxmind", ("_mmk",), "", "[A-Za-z0-9]{6}_[A-Za-z0-9]{29}", 36),
    _begins("settlemint", "sm_aat_ sm_pat_ sm_sat_", r"[A-Za-z0-9]{16}"),
    _begins("freemius", "sk_", r"[^\s\"'`]{29}(?=[\"'])", **_GUESS),
    SecretFormat("authress", (".acc_", ".acc-"), r"[a-z0-9-]{10,32}\.[A-Za-z0-9+/_=-]{30,120}"),
    _begins("hubspot", "pat-na1- pat-na2- pat-eu1- pat-ap1-", r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    _begins("klaviyo", "pk_", r"[a-f0-9]{34}(?![A-Za-z0-9])", **_WEAK),
    _begins("ubidots", "BBFF-", r"[A-Za-z0-9]{30}", **_WEAK),
    # Watching.
    _begins("grafana", "glc_", r"[A-Za-z0-9+/]{32,400}={0,3}"),
    _begins("grafana", "glsa_", r"[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}"),
    _begins("grafana", "eyJrIjoi", r"[A-Za-z0-9]{70,400}={0,3}"),
    _begins("dynatrace", "dt0c01. dt0s01. dt0s16.", r"[A-Za-z0-9]{8,24}\.[A-Za-z0-9]{64}"),
    _begins("newrelic", "NRAK- NRRA- NRIQ- NRII- NRIK-", r"[A-Za-z0-9_-]{27,42}"),
    _begins("newrelic", "NRJS-", r"[a-f0-9]{19}"),
    _begins("honeycomb", "hcaik_ hcamk_ hcxik_ hcxmk_ hcbik_ hcalk_", r"[a-z0-9]{58}"),
    # Anything.
    _begins("crypt", "$2a$ $2b$ $2y$", r"\d\d\$[./A-Za-z0-9]{53}"),
    _begins("crypt", "$5$ $6$", r"(?:rounds=\d{1,9}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{43,86}"),
    _begins("crypt", "$1$ $apr1$", r"[./A-Za-z0-9]{1,8}\$[./A-Za-z0-9]{22}"),
    _begins("crypt", "$argon2", r"[id]{1,2}\$v=\d{1,4}\$[\w=,]{4,64}\$[./+A-Za-z0-9]{8,64}\$[./+A-Za-z0-9]{16,128}"),
    _begins("jwt-base64", "ZXlK", r"[\w+/]{40,8192}={0,2}", **_WEAK),
)  # fmt: skip

# A web token, from its second part on; the first is what stands before, from `eyJ` on.
WEB_TOKEN_PATTERN = r"\.eyJ[\w-]{8,16384}+\.[\w-]{0,1024}+"
WEB_TOKEN_HEAD_CHARS = 2048
# Tokens without a literal: words of at least so many characters, with two dots.
DOTTED_PATTERN = r"[MNO][A-Za-z\d_-]{23,25}\.[A-Za-z\d_-]{6}\.[A-Za-z\d_-]{27,38}"
MIN_DOTTED_CHARS = 58
# Twilio's: two letters and 32 digits.
TWILIO_PATTERN = r"(?:SK|AC)[0-9a-f]{32}(?![0-9A-Za-z])"
