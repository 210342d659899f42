import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.index.mapper.MapperExtrasPlugin;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.transport.Netty4Plugin;

/** Runs one Elasticsearch node with its HTTP module and the types of mapper-extras. Arguments: its directory, then setting=value each. */
public class ElasticsearchMain {
  /** The constructor that takes plugins is protected. */
  static class OneNode extends Node {
    OneNode(Environment environment) {
      super(environment, List.of(Netty4Plugin.class, MapperExtrasPlugin.class), true);
    }
  }

  public static void main(String[] args) throws Exception {
    Path home = Path.of(args[0]);
    Files.createDirectories(home.resolve("config"));
    Settings.Builder settings = Settings.builder().put("path.home", home.toString());
    EngineProcess.readSettings(args, settings::put);
    Environment environment =
        InternalSettingsPreparer.prepareEnvironment(
            settings.build(), Map.of(), home.resolve("config"), () -> "node-1");
    Node node = new OneNode(environment);
    node.start();
    EngineProcess.serve(node);
  }
}
