#include "thalweg/study/config.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <sstream>

#include <boost/program_options.hpp>

#include "thalweg/core/table.hpp"
#include "thalweg/study/methods.hpp"

namespace thalweg {
namespace {

namespace po = boost::program_options;

po::options_description descriptions() {
  po::options_description all;
  for (const Key& key : keys()) all.add_options()(key.name.c_str(), po::value<std::string>(), "");
  all.add_options()("help", "")("quiet", "")("words", po::value<std::vector<std::string>>(), "");
  return all;
}

std::string without_dashes(std::string name) {
  name.erase(0, name.find_first_not_of('-'));
  return name.substr(0, name.find('='));
}

std::string section_of(const std::string& key) { return key.substr(0, key.find('.')); }
std::string last_part(const std::string& key) { return key.substr(key.find('.') + 1); }

/// What to take in place of a word that is no key: the nearest keys; or those with its last part, scheme.batch for
/// data.batch; or all of its section; or those with nearly its last part; or the sections.
std::string key_suggestion(const std::string& word) {
  const auto all = names(keys());
  if (const auto near = nearest(word, all); !near.empty()) return did_you_mean(near);
  const auto where = [&](auto part, const std::string& value) {
    std::vector<std::string> found;
    std::ranges::copy_if(all, std::back_inserter(found), [&](const auto& key) { return part(key) == value; });
    return found;
  };
  if (const auto same = where(last_part, last_part(word)); !same.empty()) return did_you_mean(same);
  if (const auto section = where(section_of, section_of(word)); !section.empty()) return valid(section);
  std::vector<std::string> lasts, sections;
  for (const auto& key : all) {
    lasts.push_back(last_part(key));
    if (sections.empty() || sections.back() != section_of(key) + ".*") sections.push_back(section_of(key) + ".*");
  }
  if (const auto near = nearest(last_part(word), lasts); !near.empty())
    return did_you_mean(where(last_part, near.front()));
  return valid(sections);
}

[[noreturn]] void rethrow_as_misuse(const std::string& where) {
  try {
    throw;
  } catch (const po::unknown_option& e) {
    const std::string name = without_dashes(e.get_option_name());
    throw std::invalid_argument(where + "no key '" + name + "'; " + key_suggestion(name));
  } catch (const po::multiple_occurrences& e) {
    throw std::invalid_argument(where + "'" + without_dashes(e.get_option_name()) + "' is given twice");
  } catch (const po::error& e) {
    throw std::invalid_argument(where + e.what());
  }
}

using Values = std::map<std::string, std::string>;

/// Values of `from` take the place of those in `into`.
void override_with(Values& into, const Values& from) {
  for (const auto& [name, value] : from) into[name] = value;
}

Values stated(const po::parsed_options& parsed) {
  Values values;
  for (const auto& option : parsed.options)
    if (!option.value.empty() && option.position_key < 0) values[option.string_key] = option.value.front();
  return values;
}

Values read_ini(const std::filesystem::path& file) {
  // A directory opens like an empty file.
  std::error_code none;
  if (std::filesystem::is_directory(file, none))
    throw std::runtime_error("'" + file.string() +
                             "' is a directory, not an INI file; a finished run is named by --in.dir=" + file.string());
  std::ifstream stream(file);
  if (!stream) throw std::runtime_error("cannot read '" + file.string() + "'");
  try {
    const auto all = descriptions();
    const auto parsed = po::parse_config_file(stream, all);
    po::variables_map once;  // notices keys that are given twice
    po::store(parsed, once);
    return stated(parsed);
  } catch (...) {
    rethrow_as_misuse(file.string() + ": ");
  }
}

po::parsed_options parse_line(const std::vector<std::string>& line) {
  try {
    const auto all = descriptions();
    po::positional_options_description positional;
    positional.add("words", -1);
    const auto style = po::command_line_style::unix_style & ~po::command_line_style::allow_short &
                       ~po::command_line_style::allow_guessing;
    auto parsed = po::command_line_parser(line).options(all).positional(positional).style(style).run();
    po::variables_map once;
    po::store(parsed, once);
    return parsed;
  } catch (...) {
    rethrow_as_misuse("");
  }
}

/// PETSc passes in silence over a word that is neither an option nor the value of one.
void require_options(const std::string& words) {
  bool value_may_follow = false;
  for (const auto& word : split_list(words, ' ')) {
    const auto letter = std::min(word.find_first_not_of('-'), word.size() - 1);
    const bool option = word[0] == '-' && std::isalpha(static_cast<unsigned char>(word[letter]));
    require(option || value_may_follow,
            "PETSc options: '" + word + "' is neither an option, such as -ts_type, nor the value of one");
    value_may_follow = option;
  }
}

/// A value that an INI file would not give back cannot be repeated from run.ini.
void require_repeatable(const Settings& settings) {
  for (const Key& key : keys()) {
    const std::string value = key.get(settings);
    require(value.find_first_of("#\r\n") == std::string::npos || key.name.starts_with("out.") ||
                key.name.starts_with("in."),
            key.name + ": '" + value + "' holds # or a line break, which run.ini cannot keep");
  }
}

/// A word as a shell would need it.
std::string quoted(const std::string& word) {
  const bool plain = !word.empty() && word.find_first_not_of(
                                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789-_=.,:/+%@") == std::string::npos;
  if (plain) return word;
  std::string safe = "'";
  for (const char c : word) safe += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return safe + "'";
}

}  // namespace

void set_key(Settings& settings, const std::string& name, const std::string& value) {
  find(keys(), name, "key").set(settings, value);
}

Request parse(std::span<const std::string> arguments, std::span<const Command> commands) {
  Request request;
  require(!arguments.empty(), "no command; " + suggestion("", names(commands)));
  request.command = &find(commands, arguments.front(), "command");
  for (const auto& word : arguments) request.line += " " + quoted(word);
  const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
  const auto line = parse_line({arguments.begin() + 1, dashes});
  for (const auto& option : line.options) {
    if (option.position_key >= 0) request.words.insert(request.words.end(), option.value.begin(), option.value.end());
    request.help = request.help || option.string_key == "help";
    request.quiet = request.quiet || option.string_key == "quiet";
  }
  const Values on_line = stated(line);
  Values in_file;
  if (request.command->name != "list" && !request.words.empty()) {
    require(request.words.size() == 1, "one FILE.ini at most, not '" + request.words.back() + "' as well");
    in_file = read_ini(request.words.front());
  }
  const auto in_dir = on_line.contains("in.dir") ? on_line.at("in.dir") : in_file["in.dir"];
  if (!in_dir.empty()) {
    request.given = read_ini(std::filesystem::path(in_dir) / "run.ini");
    request.given.erase("out.dir");
    request.given.erase("out.overwrite");
  }
  override_with(request.given, in_file);
  override_with(request.given, on_line);
  std::erase_if(request.given, [](const auto& entry) { return entry.second.empty(); });
  apply_keys(request.settings, request.command->defaults);
  // A command's own stop is for those who state none.
  if (std::any_of(request.given.begin(), request.given.end(),
                  [](const auto& g) { return g.first.starts_with("stop."); }))
    request.settings.stop = {};
  for (const auto& [name, value] : request.given) set_key(request.settings, name, value);
  for (auto word = dashes; word != arguments.end(); ++word) {
    if (word == dashes) continue;
    require(request.command->solves, std::string(request.command->name) + " does not use PETSc: no option " + *word);
    request.settings.petsc_options += (request.settings.petsc_options.empty() ? "" : " ") + *word;
  }
  require_options(request.settings.petsc_options);
  require_repeatable(request.settings);
  return request;
}

Settings read_settings(const std::filesystem::path& ini) {
  Settings settings;
  for (const auto& [name, value] : read_ini(ini)) set_key(settings, name, value);
  return settings;
}

std::string ini_text(const Settings& settings) {
  std::ostringstream text;
  std::string section;
  for (const Key& key : keys()) {
    const auto dot = key.name.find('.');
    const std::string value = key.get(settings);
    if (value.empty() || key.name.starts_with("out.") || key.name.starts_with("in.")) continue;
    if (key.name.substr(0, dot) != section) {
      text << (section.empty() ? "" : "\n") << '[' << key.name.substr(0, dot) << "]\n";
      section = key.name.substr(0, dot);
    }
    text << key.name.substr(dot + 1) << " = " << value << '\n';
  }
  return text.str();
}

std::string help_text(const Command& command) {
  Settings defaults;
  apply_keys(defaults, command.defaults);
  const auto sections = split_list(std::string(command.sections), ' ');
  std::ostringstream text;
  text << "thalweg " << command.name << ": " << command.what << '\n';
  for (const Key& key : keys()) {
    const auto section = key.name.substr(0, key.name.find('.'));
    if (std::find(sections.begin(), sections.end(), section) == sections.end()) continue;
    const std::string value = key.get(defaults);
    text << "  --" << key.name << '=' << (value.empty() ? "(not given)" : value);
    if (!key.unit.empty()) text << " [" << key.unit << ']';
    text << "\n      " << key.what << '\n';
  }
  return text.str();
}

}  // namespace thalweg
