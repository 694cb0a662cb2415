//! The program `sdc`.

fn main() -> std::process::ExitCode {
    sdc::cli::main()
}
