"""What keys, tokens and passwords look like; knows nothing of texts and of what is done with a find.

The formats are the vendors' own, checked against the rules of gitleaks and the plugins of detect-secrets; the
expressions are written here. Each has literals, one of which every match holds: looking for these first makes a
text without secrets cheap. No expression nests repetitions, so that none can be made slow by a crafted text.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SecretFormat:
    """One kind of secret."""

    name: str
    literals: tuple[str, ...]
    pattern: str
    """A group named `secret` is what is to be masked; without one it is all that matches."""
    kept_chars: int = 4
    """Characters at its start that stay, so that a reader sees what kind it was: `sk-a`, `ghp_`."""


FORMATS = (
    SecretFormat(
        "aws-access-key", ("AKIA", "ASIA", "ABIA", "ACCA"), r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"
    ),
    SecretFormat("aws-bedrock", ("ABSK",), r"\bABSK[A-Za-z0-9+/]{109,269}={0,2}"),
    SecretFormat("anthropic", ("sk-ant-",), r"\bsk-ant-(?:api|admin|oat|ort)\d{2}-[\w-]{20,200}"),
    SecretFormat("openai", ("T3BlbkFJ",), r"\bsk-(?:[\w-]{20,90})?T3BlbkFJ[\w-]{20,80}"),
    SecretFormat(
        "openai-project",
        ("sk-proj-", "sk-svcacct-", "sk-admin-"),
        r"\bsk-(?:proj|svcacct|admin)-[\w-]{40,200}",
    ),
    SecretFormat("openrouter", ("sk-or-",), r"\bsk-or-v1-[0-9a-f]{64}\b"),
    SecretFormat("generic-sk", ("sk-",), r"\bsk-[A-Za-z0-9]{32,64}\b"),
    SecretFormat(
        "github", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"\bgh[pousr]_[0-9A-Za-z]{36,255}"
    ),
    SecretFormat("github-fine-grained", ("github_pat_",), r"\bgithub_pat_\w{82}"),
    SecretFormat(
        "gitlab",
        ("glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glagent-", "glsoat-", "glft-", "glimt-", "gloas-"),
        r"\bgl(?:pat|dt|rt|cbt|ptt|agent|soat|ft|imt|oas)-[\w.-]{20,300}",
    ),
    SecretFormat("gitlab-runner", ("GR1348941",), r"\bGR1348941[\w-]{20}"),
    SecretFormat("slack", ("xox",), r"\bxox[abeoprs]-[\w-]{10,250}"),
    SecretFormat("slack-app", ("xapp-",), r"\bxapp-\d-[A-Z0-9]{1,64}-\d{1,20}-[a-f0-9]{16,128}"),
    SecretFormat(
        "slack-webhook",
        ("hooks.slack.com/",),
        r"hooks\.slack\.com/(?P<secret>(?:services|workflows|triggers)/[A-Za-z0-9+/]{40,60})",
        kept_chars=0,
    ),
    SecretFormat("discord-webhook", ("/api/webhooks/",), r"/api/webhooks/\d{17,20}/(?P<secret>[\w-]{60,72})", kept_chars=0),
    SecretFormat(
        "discord-bot", (".",), r"\b[MNO][A-Za-z\d_-]{23,25}\.[A-Za-z\d_-]{6}\.[A-Za-z\d_-]{27,38}(?![\w.-])"
    ),
    SecretFormat(
        "stripe",
        ("sk_live_", "sk_test_", "sk_prod_", "rk_live_", "rk_test_", "rk_prod_"),
        r"\b(?:sk|rk)_(?:live|test|prod)_[A-Za-z0-9]{10,120}",
    ),
    SecretFormat("stripe-webhook", ("whsec_",), r"\bwhsec_[A-Za-z0-9+/]{32,64}={0,2}"),
    SecretFormat("google-api", ("AIza",), r"\bAIza[\w-]{35}"),
    SecretFormat("google-oauth", ("GOCSPX-", "ya29."), r"\b(?:GOCSPX-[\w-]{28}|ya29\.[\w-]{20,1024})"),
    SecretFormat("jwt", ("eyJ",), r"\beyJ[\w-]{10,4096}\.eyJ[\w-]{10,8192}\.[\w-]{10,1024}"),
    SecretFormat("npm", ("npm_",), r"\bnpm_[A-Za-z0-9]{36}\b"),
    SecretFormat("npmrc", ("_authToken",), r"_authToken=(?P<secret>[\w+/=-]{16,200})", kept_chars=0),
    SecretFormat("pypi", ("pypi-AgE",), r"\bpypi-AgE[\w-]{50,1000}"),
    SecretFormat("sendgrid", ("SG.",), r"\bSG\.[\w-]{22}\.[\w-]{43}"),
    SecretFormat("twilio", ("SK", "AC"), r"\b(?:SK|AC)[0-9a-f]{32}\b"),
    SecretFormat("mailchimp", ("-us",), r"\b[0-9a-f]{32}-us\d{1,2}\b"),
    SecretFormat("mailgun", ("key-",), r"\bkey-[0-9a-f]{32}\b"),
    SecretFormat("hugging-face", ("hf_", "api_org_"), r"\b(?:hf_|api_org_)[A-Za-z]{34}\b"),
    SecretFormat("databricks", ("dapi",), r"\bdapi[a-f0-9]{32}(?:-\d)?\b"),
    SecretFormat("digitalocean", ("_v1_",), r"\bdo[opr]_v1_[a-f0-9]{64}\b"),
    SecretFormat(
        "shopify", ("shpat_", "shpss_", "shpca_", "shppa_"), r"\bshp(?:at|ss|ca|pa)_[a-fA-F0-9]{32}\b"
    ),
    SecretFormat("vault", ("hvs.", "hvb."), r"\bhv[sb]\.[\w-]{24,300}"),
    SecretFormat("terraform-cloud", (".atlasv1.",), r"\b[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{60,70}"),
    SecretFormat(
        "doppler", ("dp.",), r"\bdp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{1,35}\.)?[A-Za-z0-9]{40,44}"
    ),
    SecretFormat("linear", ("lin_api_", "lin_oauth_"), r"\blin_(?:api|oauth)_[A-Za-z0-9]{40,64}"),
    SecretFormat(
        "grafana", ("glc_", "glsa_"), r"\b(?:glc_[A-Za-z0-9+/]{32,400}={0,3}|glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8})"
    ),
    SecretFormat(
        "azure-storage",
        ("AccountKey=", "SharedAccessKey="),
        r"(?:AccountKey|SharedAccessKey)=(?P<secret>[A-Za-z0-9+/]{40,90}={0,2})",
        kept_chars=0,
    ),
    SecretFormat("azure-ad", ("Q~",), r"(?<![\w.~-])[\w.~-]{3}\dQ~[\w.~-]{31,34}"),
    SecretFormat("age", ("AGE-SECRET-KEY-1",), r"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
    SecretFormat("telegram-bot", (":AA",), r"\b\d{8,10}:AA[\w-]{33}(?![\w-])"),
    SecretFormat("1password", ("ops_eyJ",), r"\bops_eyJ[A-Za-z0-9+/]{250,4096}={0,3}"),
    SecretFormat(
        "model-api",
        ("gsk_", "xai-", "pplx-", "r8_", "fw_"),
        r"\b(?:gsk_[A-Za-z0-9]{52}|xai-[A-Za-z0-9]{80}|pplx-[A-Za-z0-9]{48}|r8_[A-Za-z0-9]{37}|fw_[A-Za-z0-9]{22,24})\b",
    ),
    SecretFormat("artifactory", ("AKCp",), r"\bAKCp[A-Za-z0-9]{69}\b"),
    SecretFormat("sentry", ("sntryu_", "sntrys_"), r"\bsntry(?:u_[a-f0-9]{64}|s_[A-Za-z0-9+/=_]{60,400})"),
    SecretFormat("notion", ("ntn_",), r"\bntn_[A-Za-z0-9]{43,50}\b"),
    SecretFormat("rubygems", ("rubygems_",), r"\brubygems_[a-f0-9]{48}\b"),
    SecretFormat("postman", ("PMAK-",), r"\bPMAK-[a-f0-9]{24}-[a-f0-9]{34}\b"),
    SecretFormat("pulumi", ("pul-",), r"\bpul-[a-f0-9]{40}\b"),
    SecretFormat("planetscale", ("pscale_",), r"\bpscale_(?:tkn|oauth|pw)_[\w=.-]{32,64}"),
    SecretFormat("dynatrace", ("dt0c01.",), r"\bdt0c01\.[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    SecretFormat("heroku", ("HRKU-AA",), r"\bHRKU-AA[\w-]{58}"),
    SecretFormat("cloudflare-origin", ("v1.0-",), r"\bv1\.0-[a-f0-9]{24}-[a-f0-9]{146}"),
    SecretFormat("atlassian", ("ATATT3", "ATCTT3"), r"\bAT[AC]TT3[\w=-]{100,250}"),
    SecretFormat("newrelic", ("NRAK-",), r"\bNRAK-[A-Z0-9]{27}\b"),
    SecretFormat("square", ("sq0", "EAAA"), r"\b(?:sq0[a-z]{3}-[\w-]{22,43}|EAAA[\w-]{60})(?![\w-])"),
    SecretFormat("facebook", ("EAA",), r"\bEAA[A-Za-z0-9]{80,300}\b"),
    SecretFormat("supabase", ("sbp_", "sb_secret_"), r"\b(?:sbp_[a-f0-9]{40}|sb_secret_[\w-]{31})(?![\w-])"),
    SecretFormat("clojars", ("CLOJARS_",), r"\bCLOJARS_[a-z0-9]{60}\b"),
    SecretFormat("bearer", ("earer ",), r"\b[Bb]earer (?P<secret>[\w.~+/-]{20,4096}={0,2})", kept_chars=0),
    SecretFormat("basic-auth", ("asic ",), r"(?i:authorization)[\"']?: ?[\"']?[Bb]asic (?P<secret>[\w+/]{16,512}={0,2})", kept_chars=0),
    SecretFormat(
        "url-password",
        ("://",),
        # A variable or a placeholder is no password.
        r"://[^\s/:@'\"`<>{}$]{0,128}:(?P<secret>[^\s/:@'\"`<>{}$]{3,128})@[\w.-]",
        kept_chars=0,
    ),
)  # fmt: skip

# A private key of any kind. It may begin or end outside the text: a prompt is cut somewhere.
PRIVATE_KEY = SecretFormat(
    "private-key",
    ("PRIVATE KEY",),
    r"-----BEGIN[ A-Z0-9_-]{0,100}PRIVATE KEY(?: BLOCK)?-----[\s\S]{0,16384}?(?:-----END[^\n]{0,100}-----|\Z)",
)
# Its lines, with what a string literal around them may add.
PRIVATE_KEY_LINE = r"""[ \t"'+]{0,40}[A-Za-z0-9+/=]{16,80}(?:\\n)?["'+\\,; \t\r]{0,12}"""
PRIVATE_KEY_END = r"-----END[ A-Z0-9_-]{0,100}PRIVATE KEY(?: BLOCK)?-----"

# Names under which secrets are kept, in small letters. What follows them: a value in quotes, or, as INI, YAML and
# property files have it, without, to the line's end. Only a value of mixed characters counts, see `redact.is_random`.
SECRET_NAMES = (
    "passwd",
    "password",
    "secret",
    "token",
    "api_key",
    "apikey",
    "api-key",
    "pwd",
    "credential",
    "private_key",
)
NAMED_SECRET = (
    r"[\w.-]{0,40}+[ \t]{0,8}+(?:"
    r"[\"'`]?\]?(?:[ \t]{0,4}:[ \t]{0,4}(?:str|String|string|&str))?[ \t]{0,8}+(?::=|=>|==|=|:|,|\()[ \t]{0,8}+"
    r"[rbuf@]?[\"'`](?P<quoted>[^\s\"'`<>{}$]{8,256}+)[\"'`]"
    r"|[=:][ \t]{0,8}+(?P<plain>[^\s\"'`<>{}$()\[\],;]{8,256}+)[ \t]{0,8}+(?:#[^\n]{0,256}+)?$"
    r")"
)
