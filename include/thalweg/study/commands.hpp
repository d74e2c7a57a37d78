#pragma once

#include <span>
#include <string>

#include "thalweg/integrate/integrate.hpp"
#include "thalweg/study/config.hpp"
#include "thalweg/study/console.hpp"

namespace thalweg {

std::span<const Command> commands();

/// Runs a command line and returns the exit code: 0 done, 2 misuse, 3 diverged or gave up, 4 the environment failed,
/// 130 interrupted.
int run_command_line(std::span<const std::string> arguments, const Console& console);

int train(const Request& request, const Console& console);
int evaluate(const Request& request, const Console& console);
int surface(const Request& request, const Console& console);
int spectrum(const Request& request, const Console& console);
int data(const Request& request, const Console& console);
int list(const Request& request, const Console& console);
int study(const Request& request, const Console& console);
int limit(const Request& request, const Console& console);
int compare_schemes(const Request& request, const Console& console);

/// 0, 3 or 130.
int exit_code(Status status);

}  // namespace thalweg
