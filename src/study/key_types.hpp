#pragma once

#include <charconv>
#include <limits>

#include "thalweg/core/table.hpp"
#include "thalweg/study/config.hpp"

/// Makers of keys, one for each type of value.
namespace thalweg::key {

inline constexpr double infinity = std::numeric_limits<double>::infinity();

/// low <= value < high, with `open` also low < value.
struct Range {
  double low = -infinity, high = infinity;
  bool open = false;

  void check(const std::string& key, double value) const {
    const bool holds = (open ? value > low : value >= low) && value < high;
    std::string range = low == -infinity ? "" : (open ? "above " : "at least ") + to_text(low);
    if (high < infinity) range += (range.empty() ? "below " : " and below ") + to_text(high);
    require(holds, key + ": " + to_text(value) + " is not " + range);
  }
};

inline constexpr Range positive{0, infinity, true}, not_negative{0}, any{}, share{0, 1};

template <class Whole>
Whole to_whole(const std::string& text, const std::string& key) {
  Whole value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  require(error == std::errc{} && end == text.data() + text.size(), key + ": '" + text + "' is not a whole number");
  return value;
}

/// What a key names: settings .* first .* second ...; works on Settings& and const Settings&.
template <class... Members>
auto path(Members... members) {
  return [=](auto& settings) -> auto& { return (settings.*....*members); };
}

template <class Member>
Key real(std::string name, std::string unit, std::string what, Range range, Member member) {
  return {name, unit, what,
          [=](Settings& s, const std::string& text) {
            const double value = to_number(text, name);
            range.check(name, value);
            member(s) = value;
          },
          [=](const Settings& s) { return to_text(member(s)); }};
}

/// A value that may not be given: std::optional<double> or std::optional<std::int64_t>.
template <class Member>
Key optional(std::string name, std::string unit, std::string what, Range range, Member member) {
  using Value = typename std::remove_cvref_t<decltype(member(std::declval<Settings&>()))>::value_type;
  return {name, unit, what,
          [=](Settings& s, const std::string& text) {
            Value value;
            if constexpr (std::is_integral_v<Value>)
              value = to_whole<Value>(text, name);
            else
              value = to_number(text, name);
            range.check(name, static_cast<double>(value));
            member(s) = value;
          },
          [=](const Settings& s) -> std::string {
            if (!member(s)) return {};
            if constexpr (std::is_integral_v<Value>)
              return std::to_string(*member(s));
            else
              return to_text(*member(s));
          }};
}

template <class Member>
Key whole(std::string name, std::string unit, std::string what, Range range, Member member) {
  using Whole = std::remove_cvref_t<decltype(member(std::declval<Settings&>()))>;
  return {name, unit, what,
          [=](Settings& s, const std::string& text) {
            const auto value = to_whole<Whole>(text, name);
            range.check(name, static_cast<double>(value));
            member(s) = value;
          },
          [=](const Settings& s) { return std::to_string(member(s)); }};
}

template <class Member>
Key text(std::string name, std::string what, Member member) {
  return {name, "", what, [=](Settings& s, const std::string& value) { member(s) = value; },
          [=](const Settings& s) { return member(s); }};
}

/// Numbers separated by commas; at least one, or the word `none_word` for none where there is one.
template <class Member>
Key reals(std::string name, std::string unit, std::string what, Range range, Member member,
          std::string none_word = "") {
  return {name, unit, what,
          [=](Settings& s, const std::string& text) {
            std::vector<double> values;
            if (none_word.empty() || text != none_word) {
              for (const auto& word : split_list(text)) {
                values.push_back(to_number(word, name));
                range.check(name, values.back());
              }
              require(!values.empty(), name + ": '" + text + "' holds no number");
            }
            member(s) = values;
          },
          [=](const Settings& s) {
            std::string text;
            for (const double value : member(s)) text += (text.empty() ? "" : ",") + to_text(value);
            return text.empty() ? none_word : text;
          }};
}

template <class Member>
Key flag(std::string name, std::string what, Member member) {
  return {name, "", what,
          [=](Settings& s, const std::string& value) {
            require(value == "true" || value == "false", name + ": '" + value + "' is neither true nor false");
            member(s) = value == "true";
          },
          [=](const Settings& s) { return std::string(member(s) ? "true" : "false"); }};
}

/// A name of a table.
template <class Row, class Member>
Key choice(std::string name, std::string what, std::span<const Row> table, Member member,
           std::span<const Refusal> refusals = {}) {
  return {name, "", what,
          [=](Settings& s, const std::string& value) {
            refuse(refusals, value, name);
            find(table, value, name);
            member(s) = value;
          },
          [=](const Settings& s) { return member(s); }};
}

inline std::string joined(const std::vector<std::string>& words, char separator) {
  std::string all;
  for (const auto& word : words) all += (all.empty() ? "" : std::string(1, separator)) + word;
  return all;
}

/// Words, separated by commas.
template <class Member>
Key words(std::string name, std::string what, Member member) {
  return {name, "", what, [=](Settings& s, const std::string& value) { member(s) = split_list(value); },
          [=](const Settings& s) { return joined(member(s), ','); }};
}

/// Names of a table, separated by commas; at least one.
template <class Row, class Member>
Key choices(std::string name, std::string what, std::span<const Row> table, Member member) {
  return {name, "", what,
          [=](Settings& s, const std::string& value) {
            const auto words = split_list(value);
            require(!words.empty(), name + ": '" + value + "' holds no name");
            for (const auto& word : words) find(table, word, name);
            member(s) = words;
          },
          [=](const Settings& s) { return joined(member(s), ','); }};
}

}  // namespace thalweg::key
