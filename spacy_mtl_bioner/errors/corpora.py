"""Messages about corpus files and their conversion: MTL001 to MTL099."""

from .coded import Coded

E001 = Coded("MTL001", "{path}: cannot read the file ({reason}). Check the path and its permissions.")
E002 = Coded("MTL002", "{path}:{line}: bytes that are not UTF-8 ({reason}). Convert the file to UTF-8.")
E003 = Coded("MTL003", "{path}: no sentence or document found; expected {expected}.")
E004 = Coded(
    "MTL004",
    "{path}:{line}: {columns} column(s) in {text!r}; expected at least {expected}, separated by {separator}.",
)
E005 = Coded("MTL005", "{path}:{line}: unknown tag {tag!r}; expected {expected}. Check --scheme or the catalogue.")
E006 = Coded(
    "MTL006",
    "{path}:{line}: tag {tag!r} cannot follow {previous!r} under {scheme}. Check --scheme, or correct the file.",
)
E007 = Coded("MTL007", "unknown tag scheme {scheme!r}; expected one of {expected}.")
E008 = Coded(
    "MTL008",
    "{path}: not a catalogue ({reason}). It is a JSON object; see spacy_mtl_bioner/corpora/catalogue.json.",
)
E009 = Coded("MTL009", "{path}: corpus {corpus!r}, field {field!r}: {reason}.")
E010 = Coded("MTL010", "unknown corpus {corpus!r}; the catalogue has: {known}. Add yours with --catalogue FILE.json.")
E011 = Coded(
    "MTL011",
    "{path}: missing; corpus {corpus!r} has its {split} split there. Check SOURCE, or name its files in the "
    "catalogue's field 'splits'.",
)
E012 = Coded(
    "MTL012",
    "{where}: document {document!r}: mention {mention} is white space, or starts or ends inside a word of {words}. Use "
    "another tokenizer (--pipeline), or --on-error skip.",
)
E013 = Coded("MTL013", "{path}: document {document!r}: no words in its text. Remove it, or use --on-error skip.")
E014 = Coded(
    "MTL014",
    "corpus {corpus!r}, document {document!r}: the entity {mention!r} crosses the end of a sentence.",
)
E015 = Coded("MTL015", "corpus {corpus!r} has no label {label!r}; it has: {known}.")
E016 = Coded("MTL016", "{path}: not a DocBin ({reason}). Convert the corpus again.")
E017 = Coded("MTL017", "{option} is {found!r}; expected {expected}.")
E018 = Coded(
    "MTL018",
    "{where}: document {document!r}: mention {mention} has the unknown label {label!r}; the catalogue has: "
    "{known}. Add it there to 'labels' or 'renames'.",
)
E019 = Coded("MTL019", "corpus {corpus!r} is {found}; {option} needs {expected}.")
E020 = Coded(
    "MTL020",
    "{path}: document {document!r}: {length} characters, where the pipeline takes {most}. Cut the document, raise "
    "nlp.max_length of --pipeline, or use --on-error skip.",
)
E021 = Coded(
    "MTL021",
    "corpus {corpus!r}: no devel split, and a single sentence in train ({path}), of which none can be made. Give it a "
    "devel split.",
)
E022 = Coded(
    "MTL022",
    "{path}: corpus {corpus!r}: no sentence is left to train on{left_out}. Correct the file, or its entry in the "
    "catalogue.",
)
E023 = Coded(
    "MTL023",
    "{source}: none of the catalogue's {count} folders, such as {folder}, is there. Check SOURCE, or --list. Add yours "
    "with --catalogue FILE.json.",
)
E025 = Coded("MTL025", "{path}: not a sound gzip file ({reason}). Unpack it with care, or fetch it again.")
E026 = Coded("MTL026", "{where}: the character {found} is half of a surrogate pair, which no text can hold. Remove it.")
E027 = Coded(
    "MTL027",
    "{where}: offsets {start} to {end} are empty, outside the text ({length} characters), or inside a character of it; "
    "they count {unit}. Correct the offsets.",
)
E028 = Coded(
    "MTL028",
    "{where}: document {document!r} stands there already ({other}), with other {what}. Give it another id.",
)
E029 = Coded("MTL029", "{where}: mention {mention} overlaps {other}; they may not share characters. Keep one of them.")
E030 = Coded("MTL030", "{where}: mention {mention} has {parts} separate parts; expected one span. Keep one part.")
E031 = Coded(
    "MTL031",
    "{where}: {columns} column(s) in {text!r}; a PubTator mention has 6, separated by tabs: document, start, end, "
    "text, type, identifier ('-' where there is none); a relation has 4.",
)
E032 = Coded(
    "MTL032",
    "{where}: no {missing} line; a PubTator document starts with 'ID|t|TITLE' and, in the next line, 'ID|a|ABSTRACT'.",
)
E033 = Coded("MTL033", "{where}: not well-formed {format} ({reason}). Correct the file, or fetch it again.")
E034 = Coded("MTL034", "{where}: found {found}; expected {expected}.")
E035 = Coded("MTL035", "{path}: the XML declares the entity {name!r}; entities are refused. Remove them.")
E036 = Coded("MTL036", "{path}: its counterpart {other} is missing; expected NAME.txt and NAME.ann side by side.")
E037 = Coded(
    "MTL037",
    "{path}: unknown format {format!r}; expected one of {expected}. Say it in the catalogue's field 'format', or by "
    "the file's ending (.pubtator, .xml, .json, .jsonl).",
)
E038 = Coded("MTL038", "{path}: BioC needs the libraries bioc and lxml: pip install 'spacy_mtl_bioner[bioc]'.")
E039 = Coded(
    "MTL039",
    "{where}: document {document!r}: {wrong} of {said} mentions say another text than their offsets, the first "
    "{mention} where the text has {span!r}. Correct the offsets.",
)
E040 = Coded(
    "MTL040",
    "{path}: {wrong} of {said} mentions say another text than their offsets, the first ({where}) {mention} where the "
    "text has {span!r}. No offset of it can be trusted: correct them, or fetch it again.",
)
E041 = Coded(
    "MTL041",
    "{path}: annotation in BRAT's divided form. Join it: cat NAME.a1 NAME.a2 > NAME.ann, then move both away.",
)
E042 = Coded("MTL042", "{path}: no file in this folder ends in {suffixes}, or in that and .gz. Check the path.")
E043 = Coded(
    "MTL043",
    "{where}: document {document!r}: the pipeline ({pipes}) finds no sentences. Add what does to that of --pipeline: "
    "nlp.add_pipe('mtl_sentences').",
)
E044 = Coded(
    "MTL044",
    "{path}:{line}: CR within {text!r}; expected lines that end in LF or CRLF. Save the file with line ends of Unix.",
)
