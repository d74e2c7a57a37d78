#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "thalweg/study/settings.hpp"

namespace thalweg {

/// One key of the command line and of an INI file: `section.key`.
struct Key {
  std::string name, unit, what;
  std::function<void(Settings&, const std::string&)> set;  // throws std::invalid_argument on a bad value
  std::function<std::string(const Settings&)> get;         // empty: not given
};
std::span<const Key> keys();

/// Sets one key; throws std::invalid_argument that names the nearest keys or values.
void set_key(Settings& settings, const std::string& name, const std::string& value);

struct Request;
struct Console;

/// A row of the command line: its keys' sections, its own defaults ("section.key=value ..."), and what it does.
struct Command {
  std::string_view name, what, sections, defaults;
  bool solves;                                 // needs PETSc and MPI
  int (*run)(const Request&, const Console&);  // returns the exit code
};

/// What a command line asks for. `given` holds the keys that the line, the file or the input run stated.
struct Request {
  const Command* command = nullptr;
  std::string line;  // as typed, to be repeated
  Settings settings;
  std::map<std::string, std::string> given;
  std::vector<std::string> words;  // positional words of `list`
  bool help = false, quiet = false;
};

/// `COMMAND [FILE.ini] [--section.key=value ...] [-- PETSC OPTIONS]`; the command line beats the file beats the run in
/// in.dir beats the command's defaults beats the built-in value. Throws std::invalid_argument for misuse,
/// std::runtime_error where a file cannot be read.
Request parse(std::span<const std::string> arguments, std::span<const Command> commands);

/// Fills in what follows from other keys and checks that all go together: the diffusion of a discrete twin, the loss
/// of the data, the end of the run. Throws std::invalid_argument.
void resolve(Settings& settings, const std::map<std::string, std::string>& given);

/// Every key that has a value, by section, but for out.* and in.*; reading it back gives the same run.
std::string ini_text(const Settings& settings);

/// The settings that an INI file states, all others as built in. Throws std::runtime_error where it cannot be read.
Settings read_settings(const std::filesystem::path& ini);

/// The keys that a command reads, one a line: name, default, unit, meaning.
std::string help_text(const Command& command);

/// Words of a comma-separated list, blanks trimmed, empty ones left out.
std::vector<std::string> split_list(const std::string& text, char separator = ',');

}  // namespace thalweg
