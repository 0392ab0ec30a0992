"""Messages about annotating texts: MTL350 to MTL399 about its jobs, MTL400 to MTL449 about entities and pages."""

from .coded import Coded

E350 = Coded("MTL350", "{path} exists already. Choose another output, or replace it with --overwrite.")
E351 = Coded("MTL351", "{path}: an unfinished job stands there. Go on with --resume, or start anew with --overwrite.")
E352 = Coded(
    "MTL352",
    "{path}: the job there was started with other settings ({what}: {before!r}, now {now!r}); results are never mixed. "
    "Repeat it as it was, choose another output, or start anew with --overwrite.",
)
E353 = Coded(
    "MTL353",
    "{path}: cannot write ({reason}). What is done is safe: make room or mend permissions, then go on with --resume.",
)
E354 = Coded("MTL354", "this document cannot be written in the output's format ({kind}: {reason}).")
E355 = Coded("MTL355", "the pipeline failed on this document ({kind}: {reason}).")
E356 = Coded("MTL356", "a worker process died ({reason}) on this document. Try it alone, with more memory.")
E357 = Coded(
    "MTL357",
    "the input differs from what the job was started on ({where}). Give the same input, or start anew with "
    "--overwrite.",
)
E358 = Coded("MTL358", "{path}: unknown format {format!r}; expected one of {expected}. Say it with {option}.")
E359 = Coded("MTL359", "{option} is {found!r}; expected {expected}.")
E360 = Coded("MTL360", "{path}: another process is at work on this output. Wait for it, or choose another output.")
E361 = Coded("MTL361", "{path}: no such file or folder. Check the path.")
E362 = Coded("MTL362", "{where}: {found}; expected {expected}.")
E363 = Coded("MTL363", "{what} needs {library}: pip install 'spacy_mtl_bioner[{extra}]'.")
E364 = Coded("MTL364", "the worker processes die ({reason}), at no document. Try --processes 0 to see why.")
E365 = Coded("MTL365", "cannot load the pipeline {model!r} ({reason}). Give a folder or an installed package.")
E366 = Coded("MTL366", "stopped. {done} chunk(s) are safe: go on with --resume.")
E367 = Coded("MTL367", "{path}: damaged ({reason}). Start anew with --overwrite.")
E368 = Coded("MTL368", "--device {device}: {reason}. Use cpu, or one of: {known}.")
E369 = Coded(
    "MTL369",
    "the pipeline {model!r} has no recognizer (mtl_ner) called {component!r}; it has: {known}. {option} needs one.",
)
E370 = Coded("MTL370", "unknown label {label!r}; the pipeline gives: {known}.")
E371 = Coded(
    "MTL371",
    "{path}: this folder has no file of {which}; looked for names in {suffixes}, plain or packed (.gz). Other files "
    "there: {there}. Check the path, or rename them.",
)
E372 = Coded("MTL372", "unknown option {option!r}; expected one of {known}.")
E373 = Coded(
    "MTL373",
    "--label-map: {count} label(s) of the corpora that tag have no unified one and stay as they are: {labels}. Give "
    "them one in a map of your own, under the corpus or '*'.",
)
E374 = Coded("MTL374", "the request has {found}; expected {expected}.")
E375 = Coded("MTL375", "the request has more than {limit} bytes. Send fewer documents at a time, or raise --max-bytes.")
E376 = Coded("MTL376", "cannot listen at {host}:{port} ({reason}). Choose another --port, or stop what listens there.")
E400 = Coded(
    "MTL400",
    "{where}: {found}; expected an object of corpora (or '*') with objects of labels, all texts, or a catalogue, whose "
    "'corpora' have such 'labels'.",
)
E401 = Coded(
    "MTL401",
    "ScispacyAbbreviations needs scispacy: pip install 'spacy_mtl_bioner[scispacy]', or use SchwartzHearst.",
)
E402 = Coded("MTL402", "{path}: cannot write the file ({reason}). Make room or mend permissions, then try again.")
