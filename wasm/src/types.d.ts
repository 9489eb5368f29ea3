/** The outcome of a run. `error` means that leakgate could not complete its work. */
export type Outcome = 'pass' | 'fail' | 'error';

/** A report format. */
export type Format =
  | 'text' | 'json' | 'html' | 'sarif' | 'markdown' | 'junit' | 'annotations' | 'gitlab'
  | 'azure' | 'teamcity' | 'buildkite' | 'bitbucket' | 'warnings-ng' | 'rdjson' | 'cdash' | 'folded';

/** A rule syntax: `leakgate.toml`, or a suppression file for valgrind or LeakSanitizer. */
export type Language = 'toml' | 'valgrind' | 'lsan';

/** A built-in pack of rules for known benign findings. */
export type Pack =
  | 'python' | 'pyo3' | 'rust-std' | 'tokio' | 'glib' | 'gtk-fontconfig' | 'openssl' | 'libstdcxx'
  | 'dlopen' | 'openmp' | 'cranelift' | 'jvm' | 'go' | 'macos-objc' | 'postgres';

/** A file with its name. */
export interface File {
  name: string;
  text: string;
}

/** Rules and settings for judging a report. Unknown keys are errors. */
export interface Options {
  /**
   * The text of a `leakgate.toml`. Suppression files that it names are taken from `suppressions`.
   * `own` has no effect. There are no lock files, so rules with `while` have expired.
   */
  config?: string;
  /** Suppression files for valgrind or a sanitizer. The syntax is detected from the text. */
  suppressions?: File[];
  /** Built-in packs, in addition to those in the configuration. */
  packs?: Pack[];
  /** The text of a baseline. Its findings are accepted unless they have grown. */
  baseline?: string;
  /** The JSON report of an earlier run, for `Judged.changes`. It accepts no findings. */
  base?: string;
  /** The meaning of a log without any checker output. Overrides the configuration. */
  silence?: 'fail' | 'pass';
  /**
   * Kinds of findings that fail, such as `errors`, `leaks` or `leak-definite`. Overrides the
   * configuration.
   */
  failOn?: string[];
  /** The date for the expiry of rules, as YYYY-MM-DD. Default: the current UTC date of the host. */
  today?: string;
}

/** Formatting options of a report. */
export interface Layout {
  /** SARIF category; give each matrix job its own. Default: `leakgate`. */
  category?: string;
  /** Maximum length of a Markdown report, in characters; at least 2000. Default: 65000. */
  maxCharacters?: number;
  /** Include findings that don't fail in SARIF and folded stacks. Default: false. */
  showAccepted?: boolean;
}

/** The parts of the HTML report. Log text in the markup is escaped. */
export interface Panes {
  /** Title with the outcome, as plain text. */
  title: string;
  /** Evidence, reasons and warnings, as markup. */
  verdict: string;
  /** Lists of changes, rules, problems, reports and inputs, as markup. */
  lists: string;
  /** Findings as JSON for the script of the HTML report. The format is internal and may change. */
  data: string;
}

/** Metadata of a rule. Not used for matching. Dates are YYYY-MM-DD. */
export interface Wording {
  /** Why the finding is accepted. Default: a note that it was not looked into yet. */
  reason?: string;
  /** Default: `to-fix` if there is no reason. */
  status?: 'false-positive' | 'accepted' | 'to-fix';
  /** Owner of the rule. */
  owner?: string;
  /** Link to the investigation. */
  investigation?: string;
  /** The date on which the rule was added. */
  added?: string;
  /** The last date on which the rule applies. */
  expires?: string;
}

/** An error in a file or an option. */
export interface Mistake {
  /** Name of the file or option. */
  file: string;
  /** Line, counted from 1, or 0 if the error concerns the whole file. */
  line: number;
  /** Column in characters, counted from 1, or 0 if the error concerns the whole line. */
  column: number;
  /** Length of the invalid text, in characters. */
  length: number;
  /** The text of the line. */
  source: string;
  message: string;
  /** How to fix the error, if known. */
  help: string | null;
}

/** Thrown for errors in files and options. Its `message` lists all of them as text. */
export interface MistakesError extends Error {
  name: 'MistakesError';
  mistakes: Mistake[];
}

/** A difference between two runs. */
export interface Change {
  change: 'new' | 'grown' | 'moved' | 'fixed';
  fingerprint: string;
  kind: string;
  function: string | null;
  before: Side | null;
  after: Side | null;
}

/** A finding in one run. Bytes and blocks are those of the process that leaked the most. */
export interface Side {
  kind: string;
  bytes: number;
  blocks: number;
  place: string | null;
  disposition: 'unexpected' | 'allowed' | 'baseline' | 'not-gated';
}
