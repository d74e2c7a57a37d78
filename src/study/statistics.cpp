#include "thalweg/study/statistics.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "thalweg/core/random.hpp"

namespace thalweg {
namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon(), nan = std::numeric_limits<double>::quiet_NaN();
/// Beyond so many pairs expansions in 1/sqrt(n) are closer than samples, unless a few values outweigh the rest.
constexpr Index many = 1'000;
constexpr int mean_resamples = 10'000, sign_patterns = 100'000, seed_resamples = 1'000;
const boost::math::normal standard_normal;

/// The `level` quantile, linear between order statistics (type 7 of Hyndman & Fan 1996); reorders the values.
double quantile(std::span<double> values, double level) {
  const double place = level * static_cast<double>(values.size() - 1);
  const auto below = values.begin() + static_cast<std::ptrdiff_t>(place);
  std::ranges::nth_element(values, below);
  const double next = below + 1 < values.end() ? *std::min_element(below + 1, values.end()) : *below;
  return std::lerp(*below, next, place - std::floor(place));
}

/// Sums closer than this are ties. Not a multiple of epsilon max|d|: the d are differences of rounded numbers, such as
/// accuracies, and err by epsilon of those; sqrt(epsilon) leaves them that room and is below any gap of interest.
double tie_width(In d) { return std::sqrt(epsilon) * d.lpNorm<Eigen::Infinity>(); }

/// How often each of n values occurs in a resample of n: a row a resample. The last table is kept, for a study has
/// thousands of effects with the same number of pairs.
const Matrix& resamples(Index n, std::uint64_t seed) {
  thread_local Matrix counts;
  thread_local std::uint64_t of_seed = 0;
  if (counts.cols() == n && of_seed == seed) return counts;
  Stream stream(seed, Purpose::probe);
  counts = Matrix::Zero(mean_resamples, n);
  for (Index row = 0; row < counts.rows(); ++row)
    for (Index draw = 0; draw < n; ++draw) ++counts(row, static_cast<Index>(stream.below(n)));
  of_seed = seed;
  return counts;
}

/// Sums of n draws with replacement; from a kept table where that is small.
std::vector<double> resampled_sums(In d, std::uint64_t seed) {
  Vector sums = Vector::Zero(mean_resamples);
  if (d.size() <= many) {
    const Matrix& counts = resamples(d.size(), seed);
    for (Index i = 0; i < d.size(); ++i) sums += d[i] * counts.col(i);
  } else {
    Stream stream(seed, Purpose::probe);
    for (double& sum : sums)
      for (Index draw = 0; draw < d.size(); ++draw) sum += d[static_cast<Index>(stream.below(d.size()))];
  }
  return {sums.begin(), sums.end()};
}

/// z0 = Phi^-1(share of resamples below the estimate), ties by half (Efron 1987).
double bias_correction(std::span<const double> sums, double estimate, double tie) {
  const auto below = std::ranges::count_if(sums, [=](double x) { return x < estimate - tie; });
  const auto up_to = std::ranges::count_if(sums, [=](double x) { return x <= estimate + tie; });
  return quantile(standard_normal, static_cast<double>(below + up_to) / (2.0 * mean_resamples));
}

/// a = sum u_i^3 / (6 (sum u_i^2)^(3/2)), u_i = d_i - mean: the jackknife's, up to scale (Efron 1987). |a| <= 1/6.
double acceleration(In d) {
  const Vector u = d.array() - d.mean();
  return u.array().cube().sum() / (6 * std::pow(u.norm(), 3));
}

/// What the interval below tends to as resamples grow without bound, but for O(n^-3/2) (Hall 1988); nothing where the
/// skewness is too large for that.
std::optional<std::pair<double, double>> expanded_interval(In d) {
  const double n = static_cast<double>(d.size()), mean = d.mean();
  const Eigen::ArrayXd u = d.array() - mean;
  const double sigma = std::sqrt(u.square().mean()), skewness = u.cube().mean() / std::pow(sigma, 3);
  if (d.size() <= many || std::abs(skewness) > .1 * std::sqrt(n)) return std::nullopt;
  const double z = quantile(standard_normal, .975), lean = (2 * z * z + 1) * skewness / (6 * std::sqrt(n));
  return std::pair{mean + sigma / std::sqrt(n) * (lean - z), mean + sigma / std::sqrt(n) * (lean + z)};
}

/// The resampled means at Phi(z0 + (z0 + z) / (1 - a (z0 + z))), z = Phi^-1(.025) and Phi^-1(.975) (Efron 1987).
std::pair<double, double> bootstrap_interval(In d, std::uint64_t seed) {
  if (d.size() < 2) return {nan, nan};
  if (d.minCoeff() == d.maxCoeff()) return {d[0], d[0]};
  if (const auto limit = expanded_interval(d)) return *limit;
  std::vector<double> sums = resampled_sums(d, seed);
  const double z0 = bias_correction(sums, d.sum(), tie_width(d)), a = acceleration(d);
  const auto end = [&](double level) {
    const double z = z0 + quantile(standard_normal, level);
    return quantile(sums, cdf(standard_normal, z0 + z / (1 - a * z))) / static_cast<double>(d.size());
  };
  return {end(0.025), end(0.975)};
}

/// All patterns of signs in the order of a Gray code, each a flip from the one before; the last sign never flips,
/// because a pattern and its opposite count alike.
double exact_sign_flip_p(Vector d, double bar) {
  const std::uint64_t patterns = std::uint64_t{1} << (d.size() - 1);
  double sum = d.sum();
  std::uint64_t hits = 0;
  for (std::uint64_t k = 1;; ++k) {
    hits += std::abs(sum) >= bar;
    if (k == patterns) break;
    double& flipped = d[std::countr_zero(k)];
    sum -= 2 * flipped;
    flipped = -flipped;
  }
  return static_cast<double>(hits) / static_cast<double>(patterns);
}

/// Random patterns and the one observed (Davison & Hinkley 1997, section 4.3); 64 of them side by side, the sign of one
/// d_i from a bit each.
double random_sign_flip_p(In d, double bar, std::uint64_t seed) {
  constexpr int lanes = 64;
  Stream stream(seed, Purpose::permutation);
  std::int64_t hits = 1;
  for (int done = 0; done < sign_patterns; done += lanes) {
    std::array<double, lanes> sums{};
    for (const double x : d) {
      const std::uint64_t signs = stream(), plus = std::bit_cast<std::uint64_t>(x);
      for (int k = 0; k < lanes; ++k)
        sums[static_cast<std::size_t>(k)] += std::bit_cast<double>(plus ^ (signs >> k << 63));
    }
    const auto end = sums.begin() + std::min(lanes, sign_patterns - done);
    hits += std::count_if(sums.begin(), end, [bar](double sum) { return std::abs(sum) >= bar; });
  }
  return static_cast<double>(hits) / (1.0 + sign_patterns);
}

/// The u of which all |d_i| are multiples, as differences of accuracies are; 0 where the least but zero is none.
double unit_of(In d) {
  double unit = std::numeric_limits<double>::infinity();
  for (const double x : d)
    if (x != 0) unit = std::min(unit, std::abs(x));
  const auto whole = [unit](double x) { return std::abs(x / unit - std::round(x / unit)) < 1e-9; };
  return std::ranges::all_of(d, whole) ? unit : 0;
}

/// Edgeworth's expansion of a sum of independent signs times d_i, whose odd cumulants vanish; of multiples of u the sum
/// comes in steps of 2 u, half of one of which belongs to the tail. Nothing where the fourth cumulant, -2 sum d^4 /
/// (sum d^2)^2, is too large for its error, about its square; zeros count for nothing.
std::optional<double> expanded_sign_flip_p(In d) {
  const double square = d.squaredNorm(), fourth = -2 * d.array().square().square().sum() / (square * square);
  if ((d.array() != 0).count() <= many || !(fourth > -.02)) return std::nullopt;
  const double z = std::max(0., std::abs(d.sum()) - unit_of(d)) / std::sqrt(square);
  const double tail = cdf(standard_normal, -z) + pdf(standard_normal, z) * fourth / 24 * (z * z - 3) * z;
  return std::min(1.0, 2 * std::max(tail, 0.0));
}

/// P(|sum s_i d_i| >= |sum d_i|): the distribution is symmetric, so this is twice its smaller tail.
double sign_flip_p(In d, std::uint64_t seed) {
  if (const auto limit = expanded_sign_flip_p(d)) return *limit;
  const double bar = std::abs(d.sum()) - tie_width(d);
  return d.size() <= 16 ? exact_sign_flip_p(d, bar) : random_sign_flip_p(d, bar, seed);
}

/// A factor with its levels counted 0, ..., levels - 1.
struct Axis {
  std::string name;
  int levels;
  std::vector<Index> level;  // of observation i
};

/// The factors of two or more levels; std::invalid_argument unless every combination of levels occurs exactly once.
std::vector<Axis> axes_of(std::span<const Factor> factors, std::size_t observations) {
  std::vector<Axis> axes;
  std::vector<Index> cell(observations, 0);
  Index cells = 1;
  for (const auto& [name, level] : factors) {
    require(level.size() == observations, "variance_shares: factor '" + name + "' does not fit y");
    std::vector<int> labels = level;
    std::ranges::sort(labels);
    labels.erase(std::ranges::unique(labels).begin(), labels.end());
    Axis axis{name, static_cast<int>(labels.size()), {}};
    for (const int label : level) axis.level.push_back(std::ranges::lower_bound(labels, label) - labels.begin());
    for (std::size_t i = 0; i < observations; ++i) cell[i] += cells * axis.level[i];
    cells *= axis.levels;
    require(cells <= std::ssize(cell), "variance_shares: not balanced, a cell has no observation");
    if (axis.levels > 1) axes.push_back(std::move(axis));
  }
  std::ranges::sort(cell);
  require(std::ranges::adjacent_find(cell) == cell.end(), "variance_shares: not balanced, a cell has two observations");
  return axes;
}

/// The means of y over all but a, b and the seed, centred along a and b: a x b, stacked, by the levels of the seed.
Matrix effect_of(const Axis& a, const Axis& b, const Axis& seed, In y) {
  Matrix means = Matrix::Zero(a.levels * b.levels, seed.levels);
  for (std::size_t i = 0; i < a.level.size(); ++i)
    means(a.level[i] + a.levels * b.level[i], seed.level[i]) += y[static_cast<Index>(i)];
  means *= static_cast<double>(means.size()) / static_cast<double>(y.size());
  for (auto column : means.colwise()) {
    Eigen::Map<Matrix> table(column.data(), a.levels, b.levels);
    if (a.levels > 1) table.rowwise() -= table.colwise().mean().eval();
    if (b.levels > 1) table.colwise() -= table.rowwise().mean().eval();
  }
  return means;
}

/// Column s of `effect` is the effect at seed level s alone: the mean over s is the effect of the factors, the scatter
/// about that mean their interaction with the seed.
struct Term {
  std::string name;
  int degrees;
  bool with_seed;
  Matrix effect;

  /// The sum of squares, over the observations of a seed level, where seed level s occurs weight_s times.
  double squares(const Vector& weight) const {
    const Vector mean = effect * weight / weight.sum();
    const double sum =
        with_seed ? (effect.colwise() - mean).colwise().squaredNorm() * weight : weight.sum() * mean.squaredNorm();
    return sum / static_cast<double>(effect.rows());
  }
};

/// y taken apart; `mean` and `square` hold the means of y and y^2 at every seed level.
struct Decomposition {
  std::vector<Term> terms;
  Matrix mean, square;

  /// The shares of all terms and, last, of the residual; nan where nothing varies.
  Vector shares(const Vector& weight) const {
    const double raw = (square * weight).value(), total = raw - std::pow((mean * weight).value(), 2) / weight.sum();
    Vector share = Vector::Constant(std::ssize(terms) + 1, nan);
    if (total <= 1e-10 * raw) return share;  // rounding of 10^5 observations leaves n epsilon = 2e-11 at most
    std::ranges::transform(terms, share.begin(), [&](const Term& term) { return term.squares(weight) / total; });
    share.tail<1>()[0] = std::max(0.0, 1 - share.head(share.size() - 1).sum());  // below 0 by rounding only
    return share;
  }
};

Decomposition decompose(std::span<const Axis> axes, In y) {
  const Axis none{"", 1, std::vector<Index>(static_cast<std::size_t>(y.size()), 0)};
  const auto found = std::ranges::find(axes, "seed", &Axis::name);
  const Axis& seed = found == axes.end() ? none : *found;
  const auto fixed = [&](const Axis& axis) -> const Axis& { return &axis == &seed ? none : axis; };
  Decomposition parts{{}, effect_of(none, none, seed, y), effect_of(none, none, seed, y.cwiseAbs2())};
  for (const Axis& a : axes)
    parts.terms.push_back({a.name, a.levels - 1, &a == &seed, effect_of(fixed(a), none, seed, y)});
  for (auto a = axes.begin(); a != axes.end(); ++a)
    for (auto b = a + 1; b != axes.end(); ++b)
      parts.terms.push_back({a->name + " x " + b->name, (a->levels - 1) * (b->levels - 1), &*a == &seed || &*b == &seed,
                             effect_of(fixed(*a), fixed(*b), seed, y)});
  return parts;
}

/// A row of shares for every resample of the seed levels; no row where there is nothing to resample.
Matrix resampled_shares(const Decomposition& parts, std::uint64_t seed) {
  Stream stream(seed, Purpose::probe);
  const Index levels = parts.mean.size();
  Matrix rows(levels > 1 ? seed_resamples : 0, std::ssize(parts.terms) + 1);
  for (auto row : rows.rowwise()) {
    Vector weight = Vector::Zero(levels);
    for (Index draw = 0; draw < levels; ++draw) ++weight[static_cast<Index>(stream.below(levels))];
    row = parts.shares(weight).transpose();
  }
  return rows;
}

std::pair<double, double> percentile_interval(In shares) {
  std::vector<double> finite;
  std::ranges::copy_if(shares, std::back_inserter(finite), [](double share) { return std::isfinite(share); });
  if (finite.empty()) return {nan, nan};
  return {quantile(finite, 0.025), quantile(finite, 0.975)};
}

}  // namespace

PairedEffect paired_effect(std::span<const double> differences, std::uint64_t seed) {
  std::vector<double> finite;
  std::ranges::copy_if(differences, std::back_inserter(finite), [](double x) { return std::isfinite(x); });
  if (finite.empty()) return {0, nan, nan, nan, nan};
  // A copy, because Eigen's sums over foreign memory depend on where it lies.
  Vector d = Eigen::Map<const Vector>(finite.data(), std::ssize(finite));
  // In units of the largest difference, so that no cube overflows or vanishes; a power of two costs no rounding.
  const double largest = d.cwiseAbs().maxCoeff(), unit = largest > 0 ? std::exp2(std::ilogb(largest)) : 1;
  d /= unit;
  const auto [low, high] = bootstrap_interval(d, seed);
  return {static_cast<int>(d.size()), unit * d.mean(), unit * low, unit * high, sign_flip_p(d, seed)};
}

int pairs_needed(double level, int tests) {
  require(0 < level && level < 1 && 1 <= tests,
          "pairs_needed: needs 0 < level < 1 <= tests, not " + to_text(level) + " and " + std::to_string(tests));
  const double patterns = tests / level;
  // So many are not drawn at random; beyond `many` pairs none are.
  if (patterns > 1 + sign_patterns) return static_cast<int>(many) + 1;
  return static_cast<int>(std::ceil(1 + std::log2(patterns)));
}

std::vector<double> holm(std::span<const double> p) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p.size(); ++i) {
    require(!(p[i] < 0 || p[i] > 1), "holm: p = " + to_text(p[i]) + " is not between 0 and 1");
    if (!std::isnan(p[i])) order.push_back(i);
  }
  std::ranges::sort(order, {}, [p](std::size_t i) { return p[i]; });
  std::vector<double> adjusted(p.begin(), p.end());
  double largest = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    largest = std::max(largest, std::min(1.0, static_cast<double>(order.size() - k) * p[order[k]]));
    adjusted[order[k]] = largest;
  }
  return adjusted;
}

std::vector<VarianceShare> variance_shares(std::span<const Factor> factors, std::span<const double> y,
                                           std::uint64_t seed,
                                           const std::function<std::string(const std::string&)>& group_of) {
  // A copy, because Eigen's sums over foreign memory depend on where it lies.
  Vector values = Eigen::Map<const Vector>(y.data(), std::ssize(y));
  require(!y.empty() && values.allFinite(), "variance_shares: y is empty or holds a value that is not finite");
  // Shares have no unit; in that of the largest value no square overflows.
  if (const double largest = values.cwiseAbs().maxCoeff(); largest > 0) values /= std::exp2(std::ilogb(largest));
  const Decomposition parts = decompose(axes_of(factors, y.size()), values.array() - values.mean());
  const Vector share = parts.shares(Vector::Ones(parts.mean.size()));
  const Matrix resampled = resampled_shares(parts, seed);
  std::vector<VarianceShare> table;
  int rest = static_cast<int>(y.size()) - 1;
  const auto add = [&](const std::string& term, int degrees) {
    const Index k = std::ssize(table);
    const auto [low, high] = percentile_interval(resampled.col(k));
    table.push_back({term, degrees, share[k], low, high});
    rest -= degrees;
  };
  for (const Term& term : parts.terms) add(term.name, term.degrees);
  add("residual", rest);
  if (!group_of) return table;
  std::map<std::string, std::pair<int, Vector>> groups;  // degrees of freedom, and which terms
  for (Index k = 0; k < share.size(); ++k) {
    const VarianceShare& of_term = table[static_cast<std::size_t>(k)];
    const std::string group = group_of(of_term.term);
    if (group.empty()) continue;
    auto& [degrees, members] = groups.try_emplace(group, 0, Vector::Zero(share.size())).first->second;
    degrees += of_term.degrees;
    members[k] = 1;
  }
  for (const auto& [group, part] : groups) {
    const auto [low, high] = percentile_interval(resampled * part.second);
    table.push_back({group, part.first, share.dot(part.second), low, high});
  }
  return table;
}

}  // namespace thalweg
