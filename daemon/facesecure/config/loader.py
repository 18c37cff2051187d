"""Read the TOML file into the schema's sections, and report all of its problems at once.

Each problem names the line, the key, what is wrong, and what was probably meant. A line that is not TOML does not hide
the problems of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from facesecure.config import CameraConfig, FacesecureConfig
from facesecure.config.paths import find_config
from facesecure.config.secrets import learn_secrets
from facesecure.config.toml_edit import with_values
from facesecure.config.toml_lines import KeyPath, key_lines, line_of
from facesecure.config.toml_text import SyntaxProblem, parse
from facesecure.config.wording import dotted, model_at, problems_of, sentence, unknown_setting
from facesecure.domain.errors import ConfigError, did_you_mean
from facesecure.util.paths import read_text

_TOML_HINT = (
    "Text needs quotes, settings look like key = value, sections like [camera]; compare with: facesecure config example"
)
_HINT = "Every setting, its meaning and its default: facesecure config example"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with the setting or section at ``path``, and a hint for all of the problem's kind, if any."""

    path: KeyPath
    text: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """The tables of a configuration file before they are validated, with the lines of their keys.

    ``path`` is None where there is no file. ``overrides`` has the dotted keys that the command line gave. ``syntax``
    are the lines that are not TOML, whose settings are missing from ``tables``.

    Example::

        file = read_settings(Path("door.toml"))
        config, problems = validated(file)
        if problems:
            raise file.error(problems)
    """

    path: Path | None
    tables: dict[str, Any]
    lines: dict[KeyPath, int]
    overrides: Mapping[str, Any] = field(default_factory=dict)
    syntax: tuple[SyntaxProblem, ...] = ()
    cameras: tuple[str, ...] = ()
    """The names of the cameras in the file, which rules may name although the command line chose another source."""
    from_page: frozenset[KeyPath] = frozenset()
    """The settings that were made on the page, and stand in the place of the file's."""

    def error(self, problems: Iterable[Problem]) -> ConfigError:
        """Return the error that lists ``problems``, after those of the syntax, in the order of the file."""
        problems = list(dict.fromkeys(problems))
        found = [(problem.line, f"{problem.place}: {problem.text}") for problem in self.syntax]
        found += [self._located(problem) for problem in problems]
        shown = tuple(text for _, text in sorted(found, key=lambda item: item[0]))
        count = "one problem" if len(shown) == 1 else f"{len(shown)} problems"
        if self.syntax:
            return ConfigError(f"{self.path} is not valid TOML", shown, _TOML_HINT)
        hints = dict.fromkeys(problem.hint or _HINT for problem in problems)
        return ConfigError(f"{count} in {self.path or 'the settings'}", shown, "; ".join(hints))

    def _located(self, problem: Problem) -> tuple[int, str]:
        """Return the line of ``problem``, 0 for the command line and the defaults, and its text with the line."""
        key = dotted(problem.path)
        line = line_of(problem.path, self.lines)
        if key in self.overrides:
            line, where = 0, "command line"
        elif any(problem.path[: len(path)] == path for path in self.from_page):
            line, where = 0, "set on the page"
        else:
            where = "default" if line is None else f"line {line}"
        return line or 0, f"{where}: {sentence(problem.path, problem.text)}"


PageSettings = Callable[[Mapping[str, Any]], Iterable[tuple[KeyPath, Any]]]
"""Takes the tables of the file, and returns the settings that were made on the page (services.settings_overlay)."""


def no_page(tables: Mapping[str, Any]) -> Iterable[tuple[KeyPath, Any]]:  # noqa: ARG001 - as PageSettings
    """Return no settings: the file alone counts."""
    return ()


def load_config(
    named: Path | None = None, overrides: Mapping[str, Any] | None = None, page: PageSettings = no_page
) -> FacesecureConfig:
    """Load the configuration from ``named``, else from the file that ``paths.find_config`` finds, else the defaults.

    ``overrides`` maps dotted keys ("camera.source") to values that take precedence over the file, and over what
    ``page`` returns. Raises ConfigError with every problem found, in the order of the file.
    """
    file = read_settings(named, overrides, page)
    config, problems = validated(file)
    if config is None:
        raise file.error(problems)
    return config


def read_settings(
    named: Path | None = None, overrides: Mapping[str, Any] | None = None, page: PageSettings = no_page
) -> SettingsFile:
    """Read the tables of the file that ``load_config`` would load. Raises ConfigError only if it cannot be read.

    From now on its secrets are hidden wherever this process writes.
    """
    path = find_config(named)
    return settings_of_text("" if path is None else read_file(path), path, overrides, page)


def settings_of_text(
    text: str, path: Path | None, overrides: Mapping[str, Any] | None = None, page: PageSettings = no_page
) -> SettingsFile:
    """Return the settings in ``text``, which is or may become the content of the file ``path``."""
    tables, kept, syntax = parse(text)
    cameras, lines = _camera_names(tables), key_lines(kept)
    learn_secrets(tables)
    made = [] if syntax else list(page(tables))
    tables = with_values(tables, made)
    if any(key.startswith("camera.") for key in overrides or {}):
        _keep_one_camera(tables, lines)
    for key, value in (overrides or {}).items():
        _put(tables, key.split("."), value)
    learn_secrets(tables)
    return SettingsFile(path, tables, lines, overrides or {}, syntax, cameras, frozenset(path for path, _ in made))


def validated(file: SettingsFile) -> tuple[FacesecureConfig | None, list[Problem]]:
    """Return the configuration in ``file``, or None and all that is wrong with it."""
    try:
        names = tuple(dict.fromkeys((*_camera_names(file.tables), *file.cameras)))
        context = {"plugins": _plugins_of(file.tables), "cameras": names}
        config = FacesecureConfig.model_validate(file.tables, context=context)
    except ValidationError as error:
        found = list(_problems(error.errors(), file.tables))
        if file.syntax:  # what a section as a whole lacks may be on a line that is not TOML
            found = [problem for problem in found if not isinstance(_at(file.tables, problem.path), Mapping)]
        return None, [*found, *_unusable_text((), file.tables)]
    problems = list(_unusable_text((), file.tables))
    return (None if problems or file.syntax else config), problems


def read_file(path: Path) -> str:
    """Return the text of the configuration file ``path``. Raises ConfigError if it cannot be read."""
    try:
        return read_text(path)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text (byte {error.start})", hint="Save it as UTF-8.") from error
    except OSError as error:
        raise ConfigError(
            f"the configuration file {path} cannot be read: {error.strerror}",
            hint="Check its permissions: ls -l " + str(path),
        ) from error


def _plugins_of(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the tables of the plugins, which rules may name."""
    tables = data.get("plugins", FacesecureConfig().plugins)
    return tables if isinstance(tables, Mapping) else {}


def _camera_names(tables: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the cameras, the default one where a camera has none; what is no name is left out."""
    several, one = tables.get("cameras"), tables.get("camera", {})
    found = several if isinstance(several, list) and several else [one]
    default = CameraConfig.model_fields["name"].default
    names = (camera.get("name", default) for camera in found if isinstance(camera, dict))
    return tuple(name for name in names if isinstance(name, str))


def _keep_one_camera(tables: dict[str, Any], lines: dict[KeyPath, int]) -> None:
    """Make the first of several cameras the only one, for a source from the command line, and forget its sub-stream."""
    cameras = tables.pop("cameras", None)
    if isinstance(cameras, list) and cameras and isinstance(cameras[0], dict):
        tables["camera"] = cameras[0]
        lines |= {("camera", *path[2:]): line for path, line in lines.items() if path[:2] == ("cameras", 0)}
    if isinstance(tables.get("camera"), dict):
        tables["camera"].pop("detect", None)


def _put(data: dict[str, Any], parts: list[str], value: Any) -> None:
    for part in parts[:-1]:
        inner = data.setdefault(part, {})
        if not isinstance(inner, dict):
            return  # not a table in the file, which validation reports
        data = inner
    data[parts[-1]] = value


def _at(tables: Any, path: KeyPath) -> Any:
    for part in path:
        tables = tables[part] if isinstance(tables, Mapping) and part in tables else None
    return tables


def _unusable_text(path: KeyPath, value: Any) -> Iterator[Problem]:
    """Yield a problem for each text with a NUL in it, with which no file and no program can be called."""
    inner = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from _unusable_text((*path, key), item)
    if isinstance(value, str) and "\0" in value:
        yield Problem(path, "must not have a NUL character in it")


def _problems(errors: Iterable[ErrorDetails], tables: Mapping[str, Any]) -> Iterator[Problem]:
    unknown = [error for error in errors if error["type"] == "extra_forbidden"]
    others = [error for error in errors if error["type"] != "extra_forbidden"]
    yield from (Problem(error["loc"], _unknown(error["loc"])) for error in unknown)
    yield from (Problem(*found) for found in problems_of(others, FacesecureConfig, tables))


def _unknown(path: KeyPath) -> str:
    model, name = model_at(FacesecureConfig, path[:-1]), str(path[-1])
    text = unknown_setting(name, {} if model is None else model.model_fields, _elsewhere(name))
    return text.replace("such setting", "such section or setting", 1) if len(path) == 1 else text


def _elsewhere(name: str) -> str:
    """Suggest the section that has a setting of this name, if there is one."""
    owners = {leaf: section for section, leaf in _settings()}
    return did_you_mean(name, owners, prefix="; ", shown=lambda leaf: f"{leaf!r} in [{owners[leaf]}]", cutoff=0.8)


def _settings() -> Iterable[tuple[str, str]]:
    for section, setting in FacesecureConfig.model_fields.items():
        if isinstance(setting.annotation, type) and issubclass(setting.annotation, BaseModel):
            yield from ((section, leaf) for leaf in setting.annotation.model_fields)
