"""The command ``dropoutlab anki``: the book's recall cards as a deck for Anki."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# Everything else is imported where it is used: the lab knows nothing of the book's machinery until asked.


def write_anki(
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.", metavar="FILE")] = Path(
        "dropout-measured.apkg"
    ),
    cards: Annotated[Path, typer.Option(help="Folder of the cards.", metavar="DIR", file_okay=False)] = Path(
        "exercises/cards"
    ),
    address: Annotated[
        str, typer.Option(help="Where the book is published, for links in the notes.", envvar="BOOK_SITE_URL")
    ] = "",
) -> None:
    """Write the recall cards of the book as a deck for Anki; run it in the repository's root folder.

    A newer deck replaces the notes of an older one and keeps what Anki knows about them.
    """
    try:
        from coursebook.anki import write_deck
        from coursebook.errors import BookError
        from coursebook.objectives import load_bank
    except ImportError as error:
        message = (
            f"the book's tools are needed ({error.name} is missing): pip install 'dropout-measured[book]'"
        )
        typer.echo(f"dropoutlab: {message}", err=True)
        raise typer.Exit(1) from error
    try:
        bank = load_bank(cards)
        write_deck(bank, output, address=address)
    except (BookError, OSError) as error:
        typer.echo(f"dropoutlab: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{output}: {len(bank.cards)} cards")
