#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>
#include <vector>

#include "thalweg/study/console.hpp"

namespace thalweg {

/// What is measured where: `columns` values at each of `nodes` points, independent of each other. A chunk of adjacent
/// nodes goes to one rank at a time; the chunks, and with them the bits, do not depend on the number of ranks.
struct NodeTask {
  std::size_t nodes, columns, chunk;
  std::function<void(std::size_t node, double* values)> measure;
};

struct NodeValues {
  std::vector<double> values;  // node by node; on rank 0
  std::size_t computed = 0;    // in this session
  std::size_t kept = 0;        // found in the file
  bool complete = false;
};

/// Collective. Spreads the nodes over the ranks; rank 0 appends every chunk to `file` as it comes, so that a killed
/// session loses no finished one, and goes on from there where the file answers the same `question` (a digest of all
/// that determines the values).
NodeValues measure_nodes(const NodeTask& task, const std::filesystem::path& file, std::uint64_t question,
                         const Console& console);

/// A digest of bytes (FNV-1a), to be continued.
std::uint64_t digest(std::string_view bytes, std::uint64_t before = 14695981039346656037u);

}  // namespace thalweg
