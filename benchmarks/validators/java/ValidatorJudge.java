import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import ca.uhn.fhir.validation.SingleValidationMessage;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirDefaultPolicyAdvisor;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.r5.elementmodel.Element;
import org.hl7.fhir.r5.elementmodel.Manager;
import org.hl7.fhir.r5.elementmodel.Manager.FhirFormat;
import org.hl7.fhir.r5.model.CanonicalResource;
import org.hl7.fhir.r5.model.CanonicalType;
import org.hl7.fhir.r5.utils.validation.IResourceValidator;
import org.hl7.fhir.r5.utils.validation.IValidatorResourceFetcher;
import org.hl7.fhir.r5.utils.validation.constants.BestPracticeWarningLevel;
import org.hl7.fhir.r5.utils.validation.constants.ReferenceValidationPolicy;

/**
 * HAPI's validator in this process, with R4 alone and no terminology server.
 *
 * A line of standard input is a resource in JSON. A line of output is a number of nanoseconds, and
 * each error, after a tab its place and after a blank what it says; line feeds are blanks. Where the
 * validator itself fails the one error begins with "failed: ".
 */
public class ValidatorJudge {
  private static final String FAILED = "failed: ";

  public static void main(String[] arguments) throws Exception {
    FhirContext context = FhirContext.forR4();
    UnknownCodeSystemWarningValidationSupport unknown =
        new UnknownCodeSystemWarningValidationSupport(context);
    unknown.setNonExistentCodeSystemSeverity(
        ca.uhn.fhir.context.support.IValidationSupport.IssueSeverity.WARNING);
    ValidationSupportChain chain = new ValidationSupportChain(
        new DefaultProfileValidationSupport(context),
        new CommonCodeSystemsTerminologyService(context),
        new InMemoryTerminologyServerValidationSupport(context),
        unknown);
    FhirInstanceValidator module = new FhirInstanceValidator(chain);
    module.setBestPracticeWarningLevel(BestPracticeWarningLevel.Ignore);
    module.setValidatorPolicyAdvisor(new TypesOfReferences());
    module.setValidatorResourceFetcher(new NothingElsewhere(context));
    FhirValidator validator = context.newValidator().registerValidatorModule(module);
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.setOut(System.err);  // what libraries print is no answer
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      long start = System.nanoTime();
      String told = judged(validator, line);
      out.println((System.nanoTime() - start) + told);
    }
  }

  private static String judged(FhirValidator validator, String json) {
    StringBuilder told = new StringBuilder();
    try {
      for (SingleValidationMessage each : validator.validateWithResult(json).getMessages()) {
        if (each.getSeverity().compareTo(ResultSeverityEnum.ERROR) >= 0) {
          told.append('\t').append(each.getLocationString()).append(' ').append(
              each.getMessage().replaceAll("\\s+", " "));
        }
      }
    } catch (RuntimeException error) {
      return "\t" + FAILED + error.toString().replaceAll("\\s+", " ");
    }
    return told.toString();
  }

  /** Asks the type of what a reference names, which HAPI does not unless it is told to. */
  private static final class TypesOfReferences extends FhirDefaultPolicyAdvisor {
    @Override
    public ReferenceValidationPolicy policyForReference(
        IResourceValidator validator, Object context, String path, String url,
        ReferenceDestinationType kind) {
      return ReferenceValidationPolicy.CHECK_TYPE_IF_EXISTS;
    }
  }

  /** Says of each Type/id that there is such a resource, and believes each address. */
  private static final class NothingElsewhere implements IValidatorResourceFetcher {
    private static final Pattern LITERAL =
        Pattern.compile("(?:https?://.*/)?([A-Z][A-Za-z]+)/([A-Za-z0-9.-]{1,64})(?:/_history/.*)?");
    private final FhirContext fhir;

    NothingElsewhere(FhirContext fhir) {
      this.fhir = fhir;
    }

    @Override
    public Element fetch(IResourceValidator validator, Object context, String url)
        throws IOException {
      Matcher match = LITERAL.matcher(url);
      if (!match.matches() || !fhir.getResourceTypes().contains(match.group(1))) {
        return null;
      }
      String json = "{\"resourceType\":\"" + match.group(1) + "\",\"id\":\"" + match.group(2) + "\"}";
      return Manager.parseSingle(
          validator.getContext(),
          new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8)),
          FhirFormat.JSON);
    }

    @Override
    public boolean resolveURL(
        IResourceValidator validator, Object context, String path, String url, String type,
        boolean canonical, List<CanonicalType> targets) {
      return true;
    }

    @Override
    public byte[] fetchRaw(IResourceValidator validator, String url) {
      return null;
    }

    @Override
    public IValidatorResourceFetcher setLocale(Locale locale) {
      return this;
    }

    @Override
    public CanonicalResource fetchCanonicalResource(
        IResourceValidator validator, Object context, String url) {
      return null;
    }

    @Override
    public boolean fetchesCanonicalResource(IResourceValidator validator, String url) {
      return false;
    }

    @Override
    public Set<ResourceVersionInformation> fetchCanonicalResourceVersions(
        IResourceValidator validator, Object context, String url) {
      return Set.of();
    }
  }
}
