import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.opensearch.analysis.common.CommonAnalysisPlugin;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.index.mapper.MapperExtrasPlugin;
import org.opensearch.index.reindex.ReindexPlugin;
import org.opensearch.ingest.common.IngestCommonPlugin;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.painless.PainlessPlugin;
import org.opensearch.plugins.Plugin;
import org.opensearch.transport.Netty4Plugin;

/** Runs one OpenSearch node with the modules of the class path. Arguments: its directory, then setting=value each. */
public class OpenSearchMain {
  static final List<Class<? extends Plugin>> MODULES =
      List.of(
          Netty4Plugin.class,
          PainlessPlugin.class,
          IngestCommonPlugin.class,
          CommonAnalysisPlugin.class,
          ReindexPlugin.class,
          MapperExtrasPlugin.class);

  /** The constructor that takes plugins is protected. */
  static class OneNode extends Node {
    OneNode(Environment environment) {
      super(environment, MODULES, true);
    }
  }

  public static void main(String[] args) throws Exception {
    Path home = Path.of(args[0]);
    Files.createDirectories(home.resolve("config"));
    Settings.Builder settings = Settings.builder().put("path.home", home.toString());
    EngineProcess.readSettings(args, settings::put);
    Environment environment =
        InternalSettingsPreparer.prepareEnvironment(settings.build(), Map.of(), null, () -> "node-1");
    Node node = new OneNode(environment);
    node.start();
    EngineProcess.serve(node);
  }
}
