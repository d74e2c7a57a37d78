#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "thalweg/core/core.hpp"

namespace thalweg {

/// Every axis of variation is a table: a span of rows with a unique `name` and one line `what`.

/// The at most three of `names` closest to `word` in edit distance, nearest first; nothing where all are far.
std::vector<std::string> nearest(std::string_view word, std::span<const std::string> names);

/// "did you mean a, b or c?"
std::string did_you_mean(std::span<const std::string> names);
/// "valid: all, of, them"
std::string valid(std::span<const std::string> names);
/// The former of the nearest names, or the latter where none is near.
std::string suggestion(std::string_view word, std::span<const std::string> names);

template <class Row>
std::vector<std::string> names(std::span<const Row> table) {
  std::vector<std::string> all;
  for (const Row& row : table) all.emplace_back(row.name);
  return all;
}

/// The row called `name`. Throws std::invalid_argument that names `key`, the value and its nearest valid names.
template <class Row>
const Row& find(std::span<const Row> table, std::string_view name, std::string_view key) {
  for (const Row& row : table)
    if (row.name == name) return row;
  throw std::invalid_argument(std::string(key) + ": no '" + std::string(name) + "'; " + suggestion(name, names(table)));
}

/// A name that is known and not offered: why, and what to take in its place.
struct Refusal {
  std::string_view name, why, instead;
};

/// Throws std::invalid_argument with the reason where `name` is one of them.
void refuse(std::span<const Refusal> refusals, std::string_view name, std::string_view key);

}  // namespace thalweg
