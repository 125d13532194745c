"""`hotline model`: install a speech model, or look at one."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from hotline.errors import HotlineError
from hotline.settings import load_settings
from transcription.errors import ModelUnusable
from transcription.install import check_model, install_model
from transcription.model import ModelIdentity
from transcription.model_folder import find_model

app = typer.Typer(help="Speech models: install one, or check the one in use.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints."""

    usable: bool
    folder: str = ""
    model: ModelIdentity | None = None
    problem: str = ""
    problems: tuple[str, ...] = ()


@app.command()
def install(
    archive: Annotated[Path, typer.Argument(metavar="FILE.zip", help="ZIP file of a Vosk model.")],
    as_json: AsJson = False,
) -> None:
    """Check the model of a ZIP file, try it, and put it in the place of the present one."""

    def do() -> Answer:
        settings = load_settings()
        known = install_model(archive, settings.data, settings.speech_engine)
        return Answer(usable=True, folder=str(settings.data / "model"), model=known)

    _answer(do, as_json)


@app.command()
def check(
    path: Annotated[Path | None, typer.Argument(help="Folder of a model; without it, the one in use.")] = None,
    as_json: AsJson = False,
) -> None:
    """Look at layout and sample rate of a model and try it. Exits 1 when it cannot be used."""

    def do() -> Answer:
        settings = load_settings()
        folder = path or find_model(settings)
        if folder is None:
            raise ModelUnusable("No speech model is installed: install one with `hotline model install FILE.zip`.")
        return Answer(usable=True, folder=str(folder), model=check_model(folder, settings.speech_engine))

    _answer(do, as_json)


def _answer(do: Callable[[], Answer], as_json: bool) -> None:
    try:
        answer = do()
    except HotlineError as error:
        problems = error.problems if isinstance(error, ModelUnusable) else ()
        answer = Answer(usable=False, problem=str(error), problems=problems)
    if as_json:
        typer.echo(msgspec.json.encode(answer).decode())
    elif answer.model is None:
        typer.echo(answer.problem, err=True)
    else:
        typer.echo(_sentence(answer.folder, answer.model))
    raise typer.Exit(0 if answer.usable else 1)


def _sentence(folder: str, model: ModelIdentity) -> str:
    kind = "a demonstration model" if model.demonstration else "a speech model"
    return f"{folder} holds {kind} that works: {model.name}, {model.rate} Hz, engine {model.engine}."
