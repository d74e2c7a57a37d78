#include "label_noise.hpp"

#include <cmath>
#include <sstream>

#include "thalweg/core/table.hpp"

namespace thalweg {
namespace {

std::vector<std::string> cut(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) {
    const auto first = part.find_first_not_of(' '), last = part.find_last_not_of(' ');
    parts.push_back(first == std::string::npos ? "" : part.substr(first, last - first + 1));
  }
  return parts;
}

std::size_t at(int i) { return static_cast<std::size_t>(i); }

/// F(c, j) = ρ/(C − 1) for j ≠ c.
Matrix uniform_flips(const DataSpec& spec, int classes) {
  Matrix flips = Matrix::Constant(classes, classes, spec.noise / (classes - 1));
  flips.diagonal().setZero();
  return flips;
}

Vector stated_row(const std::string& text, int row, int classes) {
  const std::string where = "data.noise_matrix: row " + std::to_string(row + 1);
  const auto cells = cut(text, ',');
  require(cells.size() == at(classes), where + " has " + std::to_string(cells.size()) + " entries, but there are " +
                                           std::to_string(classes) + " classes");
  Vector p(classes);
  for (int j = 0; j < classes; ++j) {
    p[j] = to_number(cells[at(j)], where);
    require(p[j] >= 0 && p[j] <= 1, where + ": " + cells[at(j)] + " is not in [0, 1]");
  }
  // 1e-6: probabilities such as 1/3 are typed with six digits or so; the diagonal takes up the difference.
  require(std::abs(p.sum() - 1) < 1e-6, where + " sums to " + to_text(p.sum()) + ", not 1");
  return p;
}

/// The off-diagonal part of the stated transition matrix.
Matrix stated_flips(const DataSpec& spec, int classes) {
  const auto rows = cut(spec.noise_matrix, ';');
  require(rows.size() == at(classes), "data.noise_matrix: '" + spec.noise_matrix + "' has " +
                                          std::to_string(rows.size()) + " rows, but there are " +
                                          std::to_string(classes) +
                                          " classes; write P(label | clean) as 0.9,0.1;0.2,0.8");
  Matrix flips(classes, classes);
  for (int c = 0; c < classes; ++c) flips.row(c) = stated_row(rows[at(c)], c, classes).transpose();
  flips.diagonal().setZero();
  return flips;
}

Vector everywhere(const DataSpec&, const Samples& train, const BoundaryDistance&) { return Vector::Ones(train.size()); }

/// exp(−distance/ℓ).
Vector near_boundary(const DataSpec& spec, const Samples& train, const BoundaryDistance& distance) {
  require(static_cast<bool>(distance),
          "data.noise_kind: 'boundary' needs a known decision boundary, which data.kind = " + spec.kind +
              " does not have; use symmetric or class");
  require_in_range(spec.noise_length > 0, "noise_length", spec.noise_length, "(0, inf]");
  Vector damping(train.size());
  for (Index i = 0; i < train.size(); ++i)
    damping[i] = std::exp(-distance(train.x.row(i).transpose()) / spec.noise_length);
  return damping;
}

/// P(label = j | clean = c) = damping_i F(c, j) for j ≠ c, at training sample i.
struct Noise : NoiseKind {
  Matrix (*flips)(const DataSpec&, int classes);
  Vector (*damping)(const DataSpec&, const Samples& train, const BoundaryDistance&);
};

constexpr Noise table[] = {
    {{"symmetric", "another class, each alike, at the rate data.noise"}, uniform_flips, everywhere},
    {{"class", "another class by the transition matrix data.noise_matrix, which sets the rate"},
     stated_flips,
     everywhere},
    {{"boundary", "another class at the rate data.noise exp(-distance to the boundary / data.noise_length)"},
     uniform_flips,
     near_boundary},
};

/// The first class at which the running sum of `weight` exceeds `share` of its total.
int quantile(In weight, double share) {
  double left = share * weight.sum();
  int last = 0;
  for (int j = 0; j < weight.size(); ++j) {
    if (weight[j] == 0) continue;
    last = j;
    left -= weight[j];
    if (left < 0) break;
  }
  return last;  // also where rounding kept the sum below its total
}

}  // namespace

std::span<const NoiseKind> noise_kinds() {
  static const std::vector<NoiseKind> kinds(std::begin(table), std::end(table));
  return kinds;
}

double wrong_share(const Samples& samples) {
  Index wrong = 0;
  for (std::size_t i = 0; i < samples.label.size(); ++i) wrong += samples.label[i] != samples.clean[i];
  return samples.size() == 0 ? 0 : static_cast<double>(wrong) / static_cast<double>(samples.size());
}

void add_label_noise(const DataSpec& spec, const BoundaryDistance& distance, Dataset& data) {
  const Noise& noise = find(std::span<const Noise>(table), spec.noise_kind, "data.noise_kind");
  require_in_range(spec.noise >= 0 && spec.noise < 1, "noise", spec.noise, "[0, 1)");
  Samples& train = data.train;
  const Matrix flips = noise.flips(spec, data.classes());
  const Vector damping = noise.damping(spec, train, distance);
  Stream stream(spec.seed, Purpose::label_noise);
  double expected = 0;
  for (Index i = 0; i < train.size(); ++i) {
    const auto sample = static_cast<std::size_t>(i);
    const Vector weight = flips.row(train.clean[sample]).transpose();
    const double rate = damping[i] * weight.sum();
    // Both are drawn for every sample, so that a higher rate only adds wrong labels.
    const double occurs = stream.uniform(), which = stream.uniform();
    if (occurs < rate) train.label[sample] = quantile(weight, which);
    expected += rate;
  }
  data.noise_nominal = expected / static_cast<double>(train.size());
  data.noise_realised = wrong_share(train);
}

}  // namespace thalweg
