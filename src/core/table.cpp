#include "thalweg/core/table.hpp"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace thalweg {
namespace {

char folded(char c) { return c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

/// Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours cost 1 (Damerau
/// 1964).
int edit_distance(std::string_view a, std::string_view b) {
  std::vector<int> older, old, now(b.size() + 1);
  std::iota(now.begin(), now.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    older = std::move(old);
    old = now;
    now[0] = static_cast<int>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = folded(a[i - 1]) == folded(b[j - 1]);
      now[j] = std::min({old[j] + 1, now[j - 1] + 1, old[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) && folded(a[i - 2]) == folded(b[j - 1]))
        now[j] = std::min(now[j], older[j - 2] + 1);
    }
  }
  return now[b.size()];
}

std::string joined(std::span<const std::string> words, const std::string& last) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) text += (i == 0 ? "" : i + 1 == words.size() ? last : ", ") + words[i];
  return text;
}

}  // namespace

std::vector<std::string> nearest(std::string_view word, std::span<const std::string> names) {
  std::vector<std::pair<int, std::string>> ranked;
  // More than two fifths of the letters wrong is another word, not a misspelling.
  for (const auto& name : names)
    if (const int d = edit_distance(word, name); 5 * d <= 2 * static_cast<int>(std::max(word.size(), name.size())))
      ranked.emplace_back(d, name);
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> result;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, ranked.size()); ++i) result.push_back(ranked[i].second);
  return result;
}

std::string did_you_mean(std::span<const std::string> names) { return "did you mean " + joined(names, " or ") + "?"; }

std::string valid(std::span<const std::string> names) { return "valid: " + joined(names, ", "); }

std::string suggestion(std::string_view word, std::span<const std::string> names) {
  const auto near = nearest(word, names);
  return near.empty() ? valid(names) : did_you_mean(near);
}

void refuse(std::span<const Refusal> refusals, std::string_view name, std::string_view key) {
  for (const Refusal& row : refusals)
    if (row.name == name)
      throw std::invalid_argument(std::string(key) + ": " + std::string(name) + " " + std::string(row.why) +
                                  "; take " + std::string(row.instead));
}

}  // namespace thalweg
