/** How a run ended: `error` where leakgate could not do its work. */
export type Outcome = 'pass' | 'fail' | 'error';

/** A format of a document. */
export type Format = 'text' | 'json' | 'html' | 'sarif' | 'markdown' | 'junit' | 'annotations' | 'gitlab' | 'folded';

/** A language of rules: `leakgate.toml`, or a suppression file of valgrind or LeakSanitizer. */
export type Language = 'toml' | 'valgrind' | 'lsan';

/** A built-in pack of rules for known benign findings. */
export type Pack =
  | 'python' | 'pyo3' | 'rust-std' | 'tokio' | 'glib' | 'gtk-fontconfig' | 'openssl' | 'libstdcxx' | 'dlopen' | 'openmp' | 'cranelift'
  | 'jvm' | 'go' | 'macos-objc' | 'postgres';

/** A file with its name. */
export interface File {
  name: string;
  text: string;
}

/** What logs are held against. A key that is not listed here is an error. */
export interface Options {
  /** The text of a `leakgate.toml`. Files that it names are looked for among `suppressions`; `own` has no effect. */
  config?: string;
  /** Suppression files of valgrind or of a sanitizer. Which of them a file is, its text tells. */
  suppressions?: File[];
  /** Built-in packs, beside those that the configuration names. */
  packs?: Pack[];
  /** The text of a baseline: what it holds is accepted unless it has grown. */
  baseline?: string;
  /** The JSON document of an earlier run; see `Judged.changes`. It accepts nothing. */
  base?: string;
  /** What a log without any checker output means, instead of what the configuration says. */
  silence?: 'fail' | 'pass';
  /** The kinds of findings to fail on, instead of those of the configuration: `errors`, `leaks`, `leak-definite`, … */
  failOn?: string[];
  /** The day by which rules expire, as YYYY-MM-DD; without it, the host's day in UTC. */
  today?: string;
}

/** How a document is laid out. */
export interface Layout {
  /** What tells a SARIF document from others about the same commit. Default: `leakgate`. */
  category?: string;
  /** The most characters of a markdown document, 2000 at least. Default: 65000. */
  maxCharacters?: number;
  /** Findings that do not fail stand in SARIF and in folded stacks, too. */
  showAccepted?: boolean;
}

/** The parts of the HTML document. Every text of a log is escaped in them. */
export interface Panes {
  /** How it ended, as text. */
  title: string;
  /** What was proved or seen and every reason, as markup. */
  verdict: string;
  /** What has changed, rules, problems, reports and inputs, as markup. */
  lists: string;
  /** The findings in JSON, as the script of the HTML document takes them. It is no contract: both change together. */
  data: string;
}

/** What a rule says beside what it matches. Days are YYYY-MM-DD. */
export interface Wording {
  /** Why it is accepted. Without it, the rule says that it was not looked into yet. */
  reason?: string;
  status?: 'false-positive' | 'accepted' | 'to-fix';
  /** Who answers for it. */
  owner?: string;
  /** Where it was looked into. */
  investigation?: string;
  /** The day on which it is written. */
  added?: string;
  /** The last day on which it holds. */
  expires?: string;
}

/** A mistake in what somebody has written. */
export interface Mistake {
  /** The file, or the option where that is no file. */
  file: string;
  /** From 1; 0 where all of the file is meant. */
  line: number;
  /** In characters, from 1; 0 where all of the line is meant. */
  column: number;
  /** How many characters are meant. */
  length: number;
  /** The text of the line. */
  source: string;
  message: string;
  /** What to write instead, where that can be guessed. */
  help: string | null;
}

/** What is thrown for mistakes in files and options: its `message` has all of them for people. */
export interface MistakesError extends Error {
  name: 'MistakesError';
  mistakes: Mistake[];
}

/** A finding in one or both of two runs. */
export interface Change {
  change: 'new' | 'grown' | 'moved' | 'fixed';
  fingerprint: string;
  kind: string;
  function: string | null;
  before: Side | null;
  after: Side | null;
}

/** A finding in one run. Bytes and blocks are those of the process that leaked most. */
export interface Side {
  kind: string;
  bytes: number;
  blocks: number;
  place: string | null;
  disposition: 'unexpected' | 'allowed' | 'baseline' | 'not-gated';
}
