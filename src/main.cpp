#include <csignal>
#include <iostream>
#include <string>
#include <vector>

#include <unistd.h>

#include "thalweg/study/commands.hpp"

namespace {

volatile std::sig_atomic_t interrupt = 0;

/// The first signal lets a run end in good order, the second one ends it at once.
void on_signal(int signal) {
  if (interrupt) std::_Exit(128 + signal);
  interrupt = 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return thalweg::run_command_line(
      arguments, {std::cout, std::cerr, true, isatty(STDERR_FILENO) == 1, [] { return interrupt != 0; }});
}
