#include "generators.hpp"

#include <algorithm>
#include <boost/math/tools/minima.hpp>
#include <cmath>
#include <numbers>

#include "thalweg/data/oracle.hpp"

namespace thalweg {

using std::numbers::pi;

void require_in_range(bool holds, std::string_view key, double value, std::string_view range) {
  require(holds, "data." + std::string(key) + ": " + to_text(value) + " is not in " + std::string(range));
}

void require_jitter(const DataSpec& spec) {
  require_in_range(spec.jitter >= 0 && std::isfinite(spec.jitter), "jitter", spec.jitter, "[0, inf)");
}

Point displacement(double s, Stream& stream) {
  const double x = stream.normal(), y = stream.normal();
  return {s * x, s * y};
}

namespace {

void require_spread(const DataSpec& spec) {
  require_in_range(spec.spread > 0 && std::isfinite(spec.spread), "spread", spec.spread, "(0, inf)");
}

double distance_to_sine(const Point& x, double amplitude, double frequency) {
  const auto height = [&](double t) { return amplitude * std::sin(2 * pi * frequency * t) - x.y(); };
  const auto square = [&](double t) { return (t - x.x()) * (t - x.x()) + height(t) * height(t); };
  // The nearest point is no farther along x₁ than the curve is above or below x. 64 starts a period part the minima.
  const double reach = std::abs(height(x.x()));
  const int starts = 4 + static_cast<int>(std::ceil(2 * reach * 64 * frequency));
  const double step = 2 * reach / starts;
  double least = reach * reach;
  for (int i = 0; i <= starts; ++i) {
    const double t = x.x() - reach + i * step;
    if (square(t) > square(t - step) || square(t) > square(t + step)) continue;
    least = std::min(least, boost::math::tools::brent_find_minima(square, t - step, t + step, 26).second);
  }
  return std::sqrt(least);
}

/// x uniform on [−1, 1]², class 1 above the curve x₂ = A sin(2πk x₁).
Law sine(const DataSpec& spec) {
  const double a = spec.amplitude, k = spec.frequency;
  require_in_range(a >= 0 && a <= 1, "amplitude", a, "[0, 1]");
  require_in_range(k > 0 && k <= 1000, "frequency", k, "(0, 1000]");
  return {.low = {-1, -1},
          .high = {1, 1},
          .draw =
              [=](Index, Stream& stream) {
                const double x = stream.uniform(-1, 1), y = stream.uniform(-1, 1);
                const int side = y > a * std::sin(2 * pi * k * x) ? 1 : 0;
                return Draw{{x, y}, side, side};
              },
          .distance = [=](const Point& x) { return distance_to_sine(x, a, k); },
          .known = {{"largest_curvature", curvature_sine(a, k)}, {"boundary_length", boundary_length_sine(a, k)}}};
}

/// n annuli in the unit disc, ring j with radii (j + 1/4)/n to (j + 3/4)/n, uniform in area, class j mod 2. The
/// boundary is the n − 1 circles of radius j/n in the middle of the gaps, of which the innermost curves most.
Law rings(const DataSpec& spec) {
  const int n = spec.rings;
  require_in_range(n >= 2, "rings", n, "{2, 3, ...}");
  return {.low = {-1, -1},
          .high = {1, 1},
          .draw =
              [=](Index sample, Stream& stream) {
                const int ring = static_cast<int>(sample % n);
                const double inner = (ring + 0.25) / n, outer = (ring + 0.75) / n;
                const double r = std::sqrt(stream.uniform(inner * inner, outer * outer));
                const double angle = stream.uniform(0, 2 * pi);
                return Draw{{r * std::cos(angle), r * std::sin(angle)}, ring % 2, ring};
              },
          .distance =
              [=](const Point& x) { return std::abs(x.norm() - std::clamp(std::round(x.norm() * n), 1., n - 1.) / n); },
          .known = {{"largest_curvature", n}, {"boundary_length", pi * (n - 1)}}};
}

/// K × K blobs N(centre, s² I) on the unit lattice centred at the origin, class = parity of row + column. The boundary
/// is the lines halfway between neighbouring rows and columns.
Law islands(const DataSpec& spec) {
  const int k = spec.grid;
  const double s = spec.spread, shift = (k - 1) / 2.;
  require_in_range(k >= 2 && k <= 1000, "grid", k, "{2, ..., 1000}");
  require_spread(spec);
  const auto gap = [=](double x) {
    return std::abs(x + shift - 0.5 - std::clamp(std::round(x + shift - 0.5), 0., k - 2.));
  };
  const Point half = Point::Constant(shift + tails * s);
  return {.low = -half,
          .high = half,
          .draw =
              [=](Index sample, Stream& stream) {
                const int blob = static_cast<int>(sample % (k * k)), row = blob / k, column = blob % k;
                return Draw{Point(column - shift, row - shift) + displacement(s, stream), (row + column) % 2, blob};
              },
          .distance = [=](const Point& x) { return std::min(gap(x.x()), gap(x.y())); },
          .known = {{"parity_error", parity_error_islands(s)}}};
}

/// N((∓d/2, 0), s² I), equally likely; the boundary is the bisecting line x₁ = 0.
Law gaussians(const DataSpec& spec) {
  const double d = spec.distance, s = spec.spread;
  require_in_range(d > 0 && std::isfinite(d), "distance", d, "(0, inf)");
  require_spread(spec);
  const Point half(d / 2 + tails * s, tails * s);
  return {.low = -half,
          .high = half,
          .draw =
              [=](Index sample, Stream& stream) {
                const int blob = static_cast<int>(sample % 2);
                return Draw{Point((blob - 0.5) * d, 0) + displacement(s, stream), blob, blob};
              },
          .distance = [](const Point& x) { return std::abs(x.x()); },
          .known = {{"bayes_error", bayes_error_gaussians(d, s)}}};
}

/// Distance to the upper half of the unit circle.
double distance_to_arc(const Point& x) {
  return x.y() >= 0 ? std::abs(x.norm() - 1) : std::hypot(std::abs(x.x()) - 1, x.y());
}

/// scikit-learn's make_moons: class 0 on (cos t, sin t), class 1 on (1 − cos t, 1/2 − sin t), 0 <= t <= π; t is uniform
/// where scikit-learn spaces it evenly, so that the splits differ. The boundary is equally far from both curves; the
/// distance to it is defined as half the difference of those to the curves.
Law moons(const DataSpec& spec) {
  require_jitter(spec);
  const Point margin = Point::Constant(tails * spec.jitter);
  return {
      .low = Point(-1, -0.5) - margin,
      .high = Point(2, 1) + margin,
      .draw =
          [jitter = spec.jitter](Index sample, Stream& stream) {
            const int piece = static_cast<int>(sample % 2);
            const double t = stream.uniform(0, pi);
            const Point arc(std::cos(t), std::sin(t));
            return Draw{(piece == 0 ? arc : Point(1, 0.5) - arc) + displacement(jitter, stream), piece, piece};
          },
      .distance = [](const Point& x) { return std::abs(distance_to_arc(x) - distance_to_arc(Point(1, 0.5) - x)) / 2; }};
}

/// scikit-learn's make_circles: class 0 at radius 1, class 1 at its factor 0.8, the angle uniform; boundary at 0.9.
Law circles(const DataSpec& spec) {
  require_jitter(spec);
  const Point half = Point::Constant(1 + tails * spec.jitter);
  return {.low = -half,
          .high = half,
          .draw =
              [jitter = spec.jitter](Index sample, Stream& stream) {
                const int piece = static_cast<int>(sample % 2);
                const double angle = stream.uniform(0, 2 * pi), r = piece == 0 ? 1 : 0.8;
                return Draw{r * Point(std::cos(angle), std::sin(angle)) + displacement(jitter, stream), piece, piece};
              },
          .distance = [](const Point& x) { return std::abs(x.norm() - 0.9); }};
}

constexpr Generator table[] = {
    {{"spirals", "two interleaved Archimedean arms of outer radius 3", "turns jitter"}, spirals},
    {{"lang-witbrock", "the classical 194 training points; the other splits are drawn from their arms", "jitter"},
     lang_witbrock},
    {{"sine", "above or below A sin(2 pi k x) on the square [-1, 1]^2", "amplitude frequency"}, sine},
    {{"rings", "concentric annuli of alternating class in the unit disc", "rings"}, rings},
    {{"islands", "Gaussian blobs on a K x K unit lattice, class by parity: a fragmented support", "grid spread"},
     islands},
    {{"gaussians", "two Gaussian blobs", "distance spread"}, gaussians},
    {{"moons", "two half circles, as scikit-learn's make_moons", "jitter"}, moons},
    {{"circles", "two circles of radii 1 and 0.8, as scikit-learn's make_circles", "jitter"}, circles},
    {{"csv", "a table of your own: numeric features, one label column",
      "file label_column validation_share test_share"},
     nullptr},
};

}  // namespace

std::span<const Generator> generators() { return table; }

std::span<const DataKind> data_kinds() {
  static const std::vector<DataKind> kinds(std::begin(table), std::end(table));
  return kinds;
}

}  // namespace thalweg
