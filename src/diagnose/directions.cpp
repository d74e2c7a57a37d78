#include "thalweg/diagnose/directions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <Eigen/Eigenvalues>

#include "thalweg/core/random.hpp"
#include "thalweg/core/table.hpp"
#include "thalweg/diagnose/spectrum.hpp"

namespace thalweg {
namespace {

using Titles = std::vector<std::string>;

Vector random_vector(Index n, Stream& draw) {
  return Vector::NullaryExpr(n, [&draw](Index) { return draw.normal(); });
}

void orthogonalise(Vector& v, const Matrix& others, Index count) {
  // Twice: once leaves the rounding of a long projection in a short rest.
  for (int pass = 0; pass < 2; ++pass)
    for (Index k = 0; k < count; ++k) v -= others.col(k).dot(v) / others.col(k).squaredNorm() * others.col(k);
}

/// Puts a unit vector along `wish`, orthogonal to the first `k` columns, into column k; a random one where nothing of
/// the wish is left.
void set_orthonormal(Matrix& directions, Index k, Vector wish, Stream& draw) {
  const double length = wish.norm();
  orthogonalise(wish, directions, k);
  // What orthogonalisation leaves of a dependent vector is rounding: below 1e-10 of its length.
  while (wish.norm() <= 1e-10 * length || wish.norm() == 0) {
    wish = random_vector(wish.size(), draw);
    orthogonalise(wish, directions, k);
  }
  directions.col(k) = wish.normalized();
}

const char* ordinal(Index k) {
  constexpr const char* words[] = {"first", "second", "third"};
  return words[k];
}

std::string percent(double share) { return std::to_string(static_cast<int>(std::lround(100 * share))) + " %"; }

Matrix offsets_from(std::span<const Vector> states, const Vector& from) {
  Matrix offsets(from.size(), static_cast<Index>(states.size()));
  for (std::size_t i = 0; i < states.size(); ++i) offsets.col(static_cast<Index>(i)) = states[i] - from;
  return offsets;
}

Matrix principal(const DirectionSource& s, int dimension, Titles& titles) {
  const Matrix offsets = offsets_from(s.states, s.states.back());
  // Right singular vectors through the small Gram matrix: there are far fewer states than parameters.
  const Eigen::SelfAdjointEigenSolver<Matrix> gram(offsets.transpose() * offsets);
  const Vector variance = gram.eigenvalues().cwiseMax(0).reverse();
  const Index last = variance.size() - 1;
  const double total = std::max(variance.sum(), std::numeric_limits<double>::min());
  Stream draw(s.seed, Purpose::direction);
  Matrix directions(s.states.back().size(), dimension);
  for (Index k = 0; k < dimension; ++k) {
    // Eigenvalues below this share of the largest are rounding.
    const bool known = k <= last && variance[k] > 1e-14 * total;
    set_orthonormal(directions, k,
                    known ? Vector(offsets * gram.eigenvectors().col(last - k)) : Vector::Zero(directions.rows()),
                    draw);
    if (directions.col(k).dot(offsets.col(0)) < 0) directions.col(k) *= -1;
    titles.push_back(std::string(ordinal(k)) + " principal direction (" + percent(k > last ? 0 : variance[k] / total) +
                     ")");
  }
  return directions;
}

Matrix random(const DirectionSource& s, int dimension, Titles& titles) {
  Stream draw(s.seed, Purpose::direction);
  Matrix directions(s.states.back().size(), dimension);
  for (Index k = 0; k < dimension; ++k) {
    set_orthonormal(directions, k, Vector::Zero(directions.rows()), draw);
    titles.push_back(std::string(ordinal(k)) + " random direction");
  }
  return directions;
}

/// Random directions whose every group is as long as the point's. They are made orthogonal group by group, so that they
/// are orthogonal and normalised at once; a group of m parameters is zero in all but the first m of them.
Matrix normalised(const DirectionSource& s, int dimension, const ParameterGroups& groups) {
  require(!groups.empty(), "surface.directions: only a network has filters and layers");
  const Vector& theta = s.states.back();
  Stream draw(s.seed, Purpose::direction);
  Matrix directions(theta.size(), dimension);
  for (Index k = 0; k < dimension; ++k) directions.col(k) = random_vector(theta.size(), draw);
  for (const auto& group : groups) {
    Matrix part = directions(group, Eigen::all);
    const double length = theta(group).norm();
    for (Index k = 0; k < dimension; ++k) {
      Vector column = part.col(k);
      orthogonalise(column, part, std::min<Index>(k, part.rows()));
      part.col(k) = k < part.rows() && length > 0 ? Vector(length / column.norm() * column) : Vector::Zero(part.rows());
      if (length == 0) part.setZero();
    }
    directions(group, Eigen::all) = part;
  }
  for (Index k = 0; k < dimension; ++k)
    require(directions.col(k).norm() > 0, "surface.directions: nothing to normalise by at a point of zeros");
  return directions;
}

Matrix filter_normalised(const DirectionSource& s, int dimension, Titles& titles) {
  for (Index k = 0; k < dimension; ++k)
    titles.push_back(std::string(ordinal(k)) + " random direction, filter-normalised");
  return normalised(s, dimension, s.filters);
}

Matrix layer_normalised(const DirectionSource& s, int dimension, Titles& titles) {
  for (Index k = 0; k < dimension; ++k)
    titles.push_back(std::string(ordinal(k)) + " random direction, layer-normalised");
  return normalised(s, dimension, s.layers);
}

Matrix top_eigenvectors(const DirectionSource& s, int dimension, Titles& titles) {
  EigenSettings settings;
  settings.count = dimension;
  const Eigenpairs pairs = eigenpairs(hessian(s.functional, s.states.back()), settings);
  require(pairs.complete, "surface.directions: the Hessian's top eigenvectors do not converge at this point");
  for (Index k = 0; k < dimension; ++k)
    titles.push_back(std::string(ordinal(k)) + " Hessian eigenvector (" +
                     to_text(std::round(1e4 * pairs.values[k]) / 1e4) + ")");
  return pairs.vectors;
}

/// From the centre to the other points, made orthogonal: the first of them has the coordinates (1, 0, 0), the second
/// (c, 1, 0).
Matrix through_points(const DirectionSource& s, int dimension, Titles& titles) {
  require(!s.others.empty(), "surface.directions: points needs a second run in surface.runs");
  Stream draw(s.seed, Purpose::direction);
  Matrix directions(s.states.back().size(), dimension);
  for (Index k = 0; k < dimension; ++k) {
    Vector wish = Vector::Zero(directions.rows());
    const bool given = k < static_cast<Index>(s.others.size());
    if (given) wish = s.others[static_cast<std::size_t>(k)] - s.states.back();
    const double length = wish.norm();
    orthogonalise(wish, directions, k);
    require(!given || wish.norm() > 1e-10 * length,
            "surface.runs: " + (given ? s.names[static_cast<std::size_t>(k)] : std::string()) +
                " lies on the line or plane of the ones before");
    if (given)
      directions.col(k) = wish;
    else {
      set_orthonormal(directions, k, wish, draw);
      directions.col(k) *= directions.col(0).norm();
    }
    titles.push_back(given ? "towards " + s.names[static_cast<std::size_t>(k)]
                           : std::string(ordinal(k)) + " direction, random");
  }
  return directions;
}

Matrix coordinates(const DirectionSource& s, int dimension, Titles& titles) {
  for (int k = 0; k < dimension; ++k) titles.push_back("change of theta_" + std::to_string(k));
  return Matrix::Identity(s.states.back().size(), dimension);
}

constexpr DirectionKind rows[] = {
    {"trajectory", "the leading principal directions of the recorded path about its end", 0, principal},
    {"random", "random directions, orthonormal", 0, random},
    {"filter", "random, each unit's incoming weights and each layer's biases as long as the point's", 1,
     filter_normalised},
    {"layer", "random, each layer's weights and biases as long as the point's", 1, layer_normalised},
    {"hessian", "the top eigenvectors of the Hessian", 0, top_eigenvectors},
    {"points", "through the trained points of surface.runs; the first of them at 1", 1.5, through_points},
    {"coordinates", "the first parameters themselves", 0, coordinates},
};

}  // namespace

std::span<const DirectionKind> direction_kinds() { return rows; }

Vector Slice::at(const std::array<double, 3>& c) const {
  Vector y = centre;
  for (Index k = 0; k < directions.cols(); ++k) y += c[static_cast<std::size_t>(k)] * directions.col(k);
  return y;
}

Projection project(const Slice& slice, In y) {
  Vector rest = y - slice.centre;
  Projection p{};
  for (Index k = 0; k < slice.directions.cols(); ++k) {
    const auto d = slice.directions.col(k);
    const double c = d.dot(rest) / d.squaredNorm();
    p.at[static_cast<std::size_t>(k)] = c;
    rest -= c * d;
  }
  p.distance = rest.norm();
  return p;
}

double radius_of(const Slice& slice, std::span<const Vector> states) {
  double reach = 0;
  for (const Vector& y : states)
    for (const double c : project(slice, y).at) reach = std::max(reach, std::abs(c));
  return reach > 0 ? 1.2 * reach : 1;
}

Slice make_slice(std::string_view kind, const DirectionSource& source, int dimension) {
  const auto& row = find(direction_kinds(), kind, "surface.directions");
  require(dimension >= 1 && dimension <= 3, "surface.dimensions: " + std::to_string(dimension) + " is not 1, 2 or 3");
  require(!source.states.empty() && source.states.back().size() >= dimension,
          "surface.dimensions: " + std::to_string(dimension) + " dimensions need at least as many parameters");
  Slice slice{source.states.back(), {}, {}};
  slice.directions = row.make(source, dimension, slice.titles);
  return slice;
}

Vector variance_fractions(std::span<const Vector> states) {
  Vector mean = Vector::Zero(states.front().size());
  for (const Vector& y : states) mean += y / static_cast<double>(states.size());
  const Matrix offsets = offsets_from(states, mean);
  const Eigen::SelfAdjointEigenSolver<Matrix> gram(offsets.transpose() * offsets, Eigen::EigenvaluesOnly);
  const Vector variance = gram.eigenvalues().cwiseMax(0).reverse();
  return variance / std::max(variance.sum(), std::numeric_limits<double>::min());
}

double random_walk_fraction(int component) { return 6 / std::pow(std::numbers::pi * component, 2); }

}  // namespace thalweg
