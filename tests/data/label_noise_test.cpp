#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <fstream>
#include <functional>
#include <numbers>

#include "thalweg/data/dataset.hpp"

namespace thalweg {
namespace {

using std::numbers::pi;

DataSpec noisy(const std::string& kind, const std::string& noise_kind, double rate, Index samples) {
  DataSpec spec;
  spec.kind = kind;
  spec.noise_kind = noise_kind;
  spec.noise = rate;
  spec.samples = samples;
  return spec;
}

std::string refusal(const DataSpec& spec) {
  try {
    make_dataset(spec);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

bool wrong(const Samples& samples, Index i) {
  const auto s = static_cast<std::size_t>(i);
  return samples.label[s] != samples.clean[s];
}

/// Training labels that are wrong, among those of a clean class.
std::pair<int, int> wrong_of_class(const Samples& train, int clean) {
  int flipped = 0, total = 0;
  for (Index i = 0; i < train.size(); ++i)
    if (train.clean[static_cast<std::size_t>(i)] == clean) {
      ++total;
      flipped += wrong(train, i);
    }
  return {flipped, total};
}

/// Mean of exp(-distance/l) over the training points, times the rate: what `boundary` noise flips on average.
double expected_share(const DataSpec& spec, const Dataset& data,
                      const std::function<double(double, double)>& distance) {
  double sum = 0;
  for (Index i = 0; i < data.train.size(); ++i)
    sum += std::exp(-distance(data.train.x(i, 0), data.train.x(i, 1)) / spec.noise_length);
  return spec.noise * sum / static_cast<double>(data.train.size());
}

// 4 standard errors of the binomial law.
TEST(SymmetricNoise, HasItsRateAndCountsIt) {
  const DataSpec spec = noisy("moons", "symmetric", 0.3, 10000);
  const Dataset data = make_dataset(spec);
  int flipped = 0;
  for (Index i = 0; i < 10000; ++i) flipped += wrong(data.train, i);
  EXPECT_EQ(data.noise_realised, flipped / 10000.);
  EXPECT_NEAR(data.noise_nominal, 0.3, 1e-12);  // a mean of 10^4 equal terms
  EXPECT_NEAR(data.noise_realised, 0.3, 4 * std::sqrt(0.3 * 0.7 / 10000));
}

TEST(LabelNoise, LeavesPointsCleanLabelsAndOtherSplitsAlone) {
  for (const NoiseKind& row : noise_kinds()) {
    DataSpec spec = noisy("spirals", std::string(row.name), 0.4, 300);
    spec.noise_matrix = "0.6,0.4;0.1,0.9";
    const Dataset with = make_dataset(spec), without = make_dataset(noisy("spirals", "symmetric", 0, 300));
    EXPECT_EQ(with.train.x, without.train.x) << row.name;
    EXPECT_EQ(with.train.clean, without.train.clean) << row.name;
    EXPECT_EQ(with.validation.label, without.validation.clean) << row.name;
    EXPECT_EQ(with.test.label, without.test.clean) << row.name;
    EXPECT_GT(with.noise_realised, 0) << row.name;
    EXPECT_EQ(without.noise_realised, 0) << row.name;
  }
}

TEST(LabelNoise, AtAHigherRateOnlyAddsWrongLabels) {
  const Samples low = make_dataset(noisy("rings", "symmetric", 0.1, 1000)).train;
  const Samples high = make_dataset(noisy("rings", "symmetric", 0.3, 1000)).train;
  for (Index i = 0; i < 1000; ++i) EXPECT_LE(wrong(low, i), wrong(high, i));
}

// Each class within 4 standard errors of its row.
TEST(ClassNoise, FollowsItsMatrix) {
  DataSpec spec = noisy("gaussians", "class", 0, 10000);
  spec.noise_matrix = "0.9, 0.1; 0.35, 0.65";
  const Dataset data = make_dataset(spec);
  for (const auto& [clean, rate] : {std::pair{0, 0.1}, {1, 0.35}}) {
    const auto [flipped, total] = wrong_of_class(data.train, clean);
    EXPECT_NEAR(static_cast<double>(flipped) / total, rate, 4 * std::sqrt(rate * (1 - rate) / total));
  }
  EXPECT_NEAR(data.noise_nominal, (0.1 + 0.35) / 2, 1e-12);
}

// The share of each wrong class within 4 standard errors of its entry; 6000 rows of a three-class table, all trained
// on.
TEST(ClassNoise, ChoosesAmongSeveralClasses) {
  const auto file = std::filesystem::path(testing::TempDir()) / "class_noise_three.csv";
  {
    std::ofstream out(file);
    for (int i = 0; i < 6000; ++i) out << i << ',' << i % 3 << '\n';
  }
  DataSpec spec = noisy("csv", "class", 0, 1);
  spec.file = file.string();
  spec.validation_share = spec.test_share = 0;
  spec.noise_matrix = "1,0,0;0,1,0;0.2,0.1,0.7";
  const Samples train = make_dataset(spec).train;
  std::array<double, 3> count{};
  for (std::size_t i = 0; i < 6000; ++i)
    if (train.clean[i] == 2) ++count[static_cast<std::size_t>(train.label[i])];
  EXPECT_NEAR(count[0] / 2000, 0.2, 4 * std::sqrt(0.2 * 0.8 / 2000));
  EXPECT_NEAR(count[1] / 2000, 0.1, 4 * std::sqrt(0.1 * 0.9 / 2000));
  EXPECT_EQ(wrong_of_class(train, 0).first + wrong_of_class(train, 1).first, 0);
}

TEST(ClassNoise, RefusesAMatrixThatIsNone) {
  DataSpec spec = noisy("moons", "class", 0, 10);
  EXPECT_NE(refusal(spec).find("data.noise_matrix: '' has 0 rows, but there are 2 classes"), std::string::npos);
  spec.noise_matrix = "0.9,0.1;0.25,0.5";
  EXPECT_EQ(refusal(spec), "data.noise_matrix: row 2 sums to 0.75, not 1");
  spec.noise_matrix = "0.9,0.1;0.2";
  EXPECT_EQ(refusal(spec), "data.noise_matrix: row 2 has 1 entries, but there are 2 classes");
  spec.noise_matrix = "0.9,0.1;-0.2,1.2";
  EXPECT_EQ(refusal(spec), "data.noise_matrix: row 2: -0.2 is not in [0, 1]");
}

// Chi-square over five bins of distance, each with its expected count: below 20.5 with probability 0.999.
TEST(BoundaryNoise, DecaysExponentiallyWithDistance) {
  DataSpec spec = noisy("gaussians", "boundary", 0.5, 20000);
  spec.noise_length = 0.3;
  const Samples train = make_dataset(spec).train;
  std::array<double, 5> observed{}, expected{}, variance{};
  for (Index i = 0; i < train.size(); ++i) {
    const double distance = std::abs(train.x(i, 0)), p = 0.5 * std::exp(-distance / 0.3);
    const auto bin = static_cast<std::size_t>(std::min(4., distance / 0.2));
    observed[bin] += wrong(train, i);
    expected[bin] += p;
    variance[bin] += p * (1 - p);
  }
  double chi_square = 0;
  for (std::size_t b = 0; b < 5; ++b) chi_square += std::pow(observed[b] - expected[b], 2) / variance[b];
  EXPECT_LT(chi_square, 20.5);
}

// The nominal rate is the mean of rho exp(-d/l): equal up to the rounding of a mean of 300 terms.
TEST(BoundaryNoise, MeasuresDistanceInClosedForm) {
  const auto check = [](const std::string& kind, const std::function<double(double, double)>& distance) {
    const DataSpec spec = noisy(kind, "boundary", 0.4, 300);
    const Dataset data = make_dataset(spec);
    EXPECT_NEAR(data.noise_nominal, expected_share(spec, data, distance), 1e-13) << kind;
  };
  check("circles", [](double x, double y) { return std::abs(std::hypot(x, y) - 0.9); });
  check("rings", [](double x, double y) {
    return std::min(std::abs(std::hypot(x, y) - 1 / 3.), std::abs(std::hypot(x, y) - 2 / 3.));
  });
  check("islands",
        [](double x, double y) { return std::min(std::abs(std::abs(x) - 0.5), std::abs(std::abs(y) - 0.5)); });
}

/// Least distance of (x, y) to 20001 points of a curve, `parameter` in [low, high].
double sampled_distance(double x, double y, double low, double high,
                        const std::function<Eigen::Vector2d(double)>& curve) {
  double least = INFINITY;
  for (int i = 0; i <= 20000; ++i)
    least = std::min(least, (curve(low + (high - low) * i / 20000) - Eigen::Vector2d(x, y)).squaredNorm());
  return std::sqrt(least);
}

// Samples lie within h/2 of the foot, h the largest spacing of points on the curve (sine 6e-4, spirals 1.5e-3, moons
// 2e-4), so distances err by less than h/2, and exp(-d/l) with l = 1 by no more.
TEST(BoundaryNoise, MeasuresDistanceToCurvesWithin) {
  const auto check = [](DataSpec spec, double h, const std::function<double(double, double)>& distance) {
    spec.noise_length = 1;
    const Dataset data = make_dataset(spec);
    EXPECT_NEAR(data.noise_nominal, expected_share(spec, data, distance), spec.noise * h / 2) << spec.kind;
  };
  DataSpec sine = noisy("sine", "boundary", 0.9, 40);
  sine.frequency = 2;
  check(sine, 2e-3, [](double x, double y) {
    return sampled_distance(x, y, -3, 3, [](double t) { return Eigen::Vector2d(t, 0.5 * std::sin(4 * pi * t)); });
  });
  const double last = pi / 2 + 3 * pi, c = 3 / last;
  const auto arm = [=](double a) -> Eigen::Vector2d { return c * a * Eigen::Vector2d(std::cos(a), std::sin(a)); };
  check(noisy("spirals", "boundary", 0.9, 40), 1.5e-3, [=](double x, double y) {
    return std::abs(sampled_distance(x, y, pi / 2, last, arm) - sampled_distance(-x, -y, pi / 2, last, arm)) / 2;
  });
  const auto arc = [](double t) { return Eigen::Vector2d(std::cos(t), std::sin(t)); };
  check(noisy("moons", "boundary", 0.9, 40), 2e-4, [=](double x, double y) {
    return std::abs(sampled_distance(x, y, 0, pi, arc) - sampled_distance(1 - x, 0.5 - y, 0, pi, arc)) / 2;
  });
}

TEST(LabelNoise, RefusesAnUnknownKindAndABadLength) {
  EXPECT_EQ(refusal(noisy("moons", "symetric", 0.1, 10)), "data.noise_kind: no 'symetric'; did you mean symmetric?");
  DataSpec spec = noisy("moons", "boundary", 0.1, 10);
  spec.noise_length = 0;
  EXPECT_EQ(refusal(spec), "data.noise_length: 0 is not in (0, inf]");
}

}  // namespace
}  // namespace thalweg
