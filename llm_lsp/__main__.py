"""The program's entry; knows only where to hand over."""


def main() -> None:
    """Run the command line."""
    from llm_lsp.cli.main import main as run

    run()


if __name__ == "__main__":
    main()
