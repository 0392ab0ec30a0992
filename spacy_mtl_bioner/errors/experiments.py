"""Messages about experiments: MTL300 to MTL349."""

from .coded import Coded

E300 = Coded("MTL300", "{path}: cannot be read as {what} ({reason}). Check the path and the file.")
E301 = Coded("MTL301", "{path}: section [{section}] is missing; expected {expected}.")
E302 = Coded("MTL302", "the override --{name} would change nothing; expected {expected}.")
E303 = Coded("MTL303", "{option}: {found!r}; expected {expected}.")
E304 = Coded("MTL304", "corpus {corpus!r}: {path} does not exist. Convert the corpus first, or correct --corpora-dir.")
E305 = Coded("MTL305", "the protocol's batcher is {found}; expected spacy_mtl_bioner.CorpusBatches.v1.")
E306 = Coded("MTL306", "the schedule of system {system!r} gives no batch of {corpus!r} in {epochs} epochs.")
E307 = Coded(
    "MTL307",
    "{failed} of {total} trainings failed; the first: {first}. The others are kept; run the command again to try "
    "the failed ones again.",
)
E308 = Coded(
    "MTL308",
    "statistics and figures need scipy and matplotlib: pip install 'spacy_mtl_bioner[studies]', or leave them out with "
    "--plain.",
)
E309 = Coded("MTL309", "this engine needs Ray: pip install 'spacy_mtl_bioner[ray]'.")
E310 = Coded(
    "MTL310", "corpus {corpus!r}: {path} is missing, the report of 'mtl-bioner convert'. Convert the corpus again."
)
E311 = Coded("MTL311", "no two of these corpora share {found}; expected at least two: {corpora}.")
E312 = Coded(
    "MTL312",
    "corpus {corpus!r}: {first} and {second} were scored on other units of test (their readers cut or group it in "
    "another way), so that no test pairs them. Give both the same settings in [corpora.dev].",
)
E313 = Coded(
    "MTL313",
    "corpus {corpus!r}: a config would take this name for something else. Rename its folder to letters, digits, '.', "
    "'_' and '-'.",
)
E314 = Coded(
    "MTL314",
    "{path} changed while the trainings ran: the result would be filed under the inputs of before. Run the command "
    "again.",
)
E315 = Coded(
    "MTL315",
    "{out}: none of the {total} trainings has finished there, so there is nothing to report, and what stands there "
    "stays. Give the options with which they ran (vectors, protocol and settings count); --dry-run shows the queue.",
)
E340 = Coded("MTL340", "{path}: no such converted corpus; found: {known}. Convert it first, or correct the names.")
E341 = Coded("MTL341", "{option} is {found!r}; expected {expected}.")
E342 = Coded(
    "MTL342",
    '{path}: not a study of pairs ({reason}); expected {{"scores": {{main: {{partner: F1}}}}, '
    '"single": {{main: F1}}}}.',
)
E343 = Coded("MTL343", "suggest-partners needs scipy: pip install 'spacy_mtl_bioner[studies]'.")
