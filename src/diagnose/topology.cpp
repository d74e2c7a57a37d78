#include "thalweg/diagnose/topology.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "thalweg/core/core.hpp"

namespace thalweg {
namespace {

constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();

/// Calls visit(neighbour) for the nodes that share an edge of Freudenthal's triangulation with `node`: the offsets
/// whose entries are all 0 or 1, or all 0 or -1.
template <class Visit>
void each_neighbour(const Grid& grid, std::size_t node, Visit visit) {
  const auto nx = static_cast<std::size_t>(grid.nodes[0]), ny = static_cast<std::size_t>(grid.nodes[1]);
  const std::array<int, 3> at{static_cast<int>(node % nx), static_cast<int>(node / nx % ny),
                              static_cast<int>(node / nx / ny)};
  for (const int sign : {1, -1})
    for (unsigned offset = 1; offset < 8; ++offset) {
      std::array<int, 3> to = at;
      bool inside = true;
      for (unsigned axis = 0; axis < 3; ++axis) {
        to[axis] += sign * static_cast<int>(offset >> axis & 1u);
        inside = inside && to[axis] >= 0 && to[axis] < grid.nodes[axis];
      }
      if (inside) visit(grid.index(to[0], to[1], to[2]));
    }
}

/// Basins while the level rises, united with path halving.
class Union {
 public:
  std::size_t root(std::size_t basin) {
    while (parent_[basin] != basin) basin = parent_[basin] = parent_[parent_[basin]];
    return basin;
  }
  std::size_t add() {
    parent_.push_back(parent_.size());
    return parent_.back();
  }
  void join(std::size_t younger, std::size_t older) { parent_[younger] = older; }

 private:
  std::vector<std::size_t> parent_;
};

std::vector<double> without_nan(std::span<const double> values) {
  std::vector<double> clean(values.begin(), values.end());
  for (double& v : clean)
    if (std::isnan(v)) v = std::numeric_limits<double>::infinity();
  return clean;
}

/// Basins in the order of their minima: the first is the lowest.
struct Growth {
  std::vector<Basin> basins;
  std::vector<std::size_t> basin_of;
};

Growth grow(const Grid& grid, const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return values[i] < values[j]; });
  std::vector<std::size_t> rank(values.size());
  for (std::size_t r = 0; r < order.size(); ++r) rank[order[r]] = r;
  Growth g{{}, std::vector<std::size_t>(values.size(), nowhere)};
  Union basins;
  for (const std::size_t node : order) {
    // The steepest way down decides whose the node is; each further basin that it touches ends here unless it is older.
    std::size_t lowest = nowhere;
    each_neighbour(grid, node, [&](std::size_t n) {
      if (rank[n] < rank[node] && (lowest == nowhere || rank[n] < rank[lowest])) lowest = n;
    });
    if (lowest == nowhere) {
      g.basin_of[node] = basins.add();
      g.basins.push_back({node, order.back(), values[node], values[order.back()], g.basin_of[node]});
      continue;
    }
    g.basin_of[node] = g.basin_of[lowest];
    each_neighbour(grid, node, [&](std::size_t n) {
      if (rank[n] >= rank[node]) return;
      const std::size_t one = basins.root(g.basin_of[n]), other = basins.root(g.basin_of[node]);
      if (one == other) return;
      // Numbers follow the minima's order.
      const std::size_t younger = std::max(one, other), older = std::min(one, other);
      g.basins[younger].saddle = node;
      g.basins[younger].death = values[node];
      g.basins[younger].parent = older;
      basins.join(younger, older);
    });
  }
  return g;
}

}  // namespace

MergeTree merge_tree(const Grid& grid, std::span<const double> values) {
  require(!values.empty() && values.size() == grid.size(), "a merge tree needs one value a node");
  const Growth g = grow(grid, without_nan(values));
  std::vector<std::size_t> order(g.basins.size()), place(g.basins.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin() + 1, order.end(),
                   [&](std::size_t i, std::size_t j) { return g.basins[i].persistence() > g.basins[j].persistence(); });
  for (std::size_t k = 0; k < order.size(); ++k) place[order[k]] = k;
  MergeTree tree;
  for (const std::size_t k : order) {
    tree.basins.push_back(g.basins[k]);
    tree.basins.back().parent = place[g.basins[k].parent];
  }
  for (const std::size_t basin : g.basin_of) tree.basin_of.push_back(place[basin]);
  return tree;
}

std::vector<std::size_t> MergeTree::labels(double least_persistence) const {
  std::vector<std::size_t> kept(basins.size());
  // A basin ends in one that lasts at least as long, so that parents come before their children.
  for (std::size_t k = 0; k < basins.size(); ++k)
    kept[k] = k == 0 || basins[k].persistence() >= least_persistence ? k : kept[basins[k].parent];
  std::vector<std::size_t> labels;
  for (const std::size_t basin : basin_of) labels.push_back(kept[basin]);
  return labels;
}

namespace {

/// The matrix that takes the values at n nodes, spacing h, through heat time s: a cosine transform of the first kind,
/// damped, and back. No entry is negative but by rounding, which is cut off.
Matrix axis_flow(int n, double h, double time) {
  if (n == 1) return Matrix::Identity(1, 1);
  const int last = n - 1;
  // cos(pi m / last), whose period is 2 last: angles stay small and cosines exact to rounding.
  Vector cosine(2 * last);
  for (int m = 0; m < 2 * last; ++m) cosine[m] = std::cos(std::numbers::pi * m / last);
  Matrix flow = Matrix::Zero(n, n);
  for (int k = 0; k <= last; ++k) {
    const double decay = std::exp(-std::pow(2 / h * std::sin(std::numbers::pi * k / (2 * last)), 2) * time);
    const double end = k == 0 || k == last ? .5 : 1;
    for (int j = 0; j < n; ++j) {
      const double weight = decay * end * (j == 0 || j == last ? .5 : 1) * 2 / last * cosine[k * j % (2 * last)];
      for (int i = 0; i < n; ++i) flow(i, j) += weight * cosine[k * i % (2 * last)];
    }
  }
  return flow.cwiseMax(0);
}

std::vector<double> finite(std::span<const double> values) {
  double top = -std::numeric_limits<double>::infinity();
  for (const double v : values)
    if (std::isfinite(v)) top = std::max(top, v);
  std::vector<double> clean(values.begin(), values.end());
  for (double& v : clean)
    if (!std::isfinite(v)) v = top;
  return clean;
}

}  // namespace

std::vector<double> heat_flow(const Grid& grid, std::span<const double> values, double time) {
  require(time >= 0, "surface.heat: " + to_text(time) + " is negative");
  std::vector<double> u = finite(values);
  if (time == 0) return u;
  std::size_t stride = 1;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const int n = grid.nodes[axis];
    const Matrix flow = axis_flow(n, grid.spacing[axis], time);
    using Line = Eigen::Map<Vector, 0, Eigen::InnerStride<>>;
    const auto step = static_cast<Index>(stride);
    Vector before(n);
    for (std::size_t first = 0; n > 1 && first < u.size(); ++first) {
      if (first / stride % static_cast<std::size_t>(n) != 0) continue;  // not the first node of a line
      Line line(u.data() + first, n, Eigen::InnerStride<>(step));
      before = line;
      line = flow * before;
    }
    stride *= static_cast<std::size_t>(n);
  }
  return u;
}

}  // namespace thalweg
