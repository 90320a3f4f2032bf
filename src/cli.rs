//! What was typed.

use crate::commands::build::Build;
use crate::commands::completions::Completions;
use crate::commands::config::Config;
use crate::commands::down::Down;
use crate::commands::exec::{Exec, Shell};
use crate::commands::list::List;
use crate::commands::logs::Logs;
use crate::commands::man::Man;
use crate::commands::new::New;
use crate::commands::prune::Prune;
use crate::commands::ps::Ps;
use crate::commands::run::Run;
use crate::commands::show::Show;
use crate::commands::stop::Stop;
use crate::commands::up::Up;
use crate::terminal::{Format, Terminal, Verbosity};

/// Make dev containers for Python and machine learning from templates.
#[derive(Debug, clap::Parser)]
#[command(
    name = "scaffold",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print one JSON object on stdout, for errors too.
    #[arg(long, global = true, help_heading = "Output")]
    json: bool,
    /// Say nothing but errors.
    #[arg(
        long,
        short,
        global = true,
        conflicts_with = "verbose",
        help_heading = "Output"
    )]
    quiet: bool,
    /// Say how each answer was decided.
    #[arg(long, short, global = true, help_heading = "Output")]
    verbose: bool,
}

/// The verbs.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    New(New),
    List(List),
    Show(Show),
    Config(Config),
    Build(Build),
    Up(Up),
    Exec(Exec),
    Shell(Shell),
    Run(Run),
    Ps(Ps),
    Logs(Logs),
    Stop(Stop),
    Down(Down),
    Prune(Prune),
    Completions(Completions),
    Man(Man),
}

impl Cli {
    /// Where output goes, and how much of it.
    pub(crate) fn terminal(&self) -> Terminal {
        let verbosity = if self.quiet {
            Verbosity::Quiet
        } else if self.verbose {
            Verbosity::Verbose
        } else {
            Verbosity::Normal
        };
        Terminal {
            verbosity,
            format: if self.json {
                Format::Json
            } else {
                Format::Text
            },
        }
    }
}
